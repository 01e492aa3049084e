//! Layers point down only.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    assert_only,
    source::{Source, below},
};

/// The modules of the library from the bottom to the top: each may use those before it.
const LAYERS: &[&str] = &[
    "error_kind",
    "blocking",
    "clock",
    "redact",
    "fs",
    "net",
    "credential",
    "config",
    "provider",
    "ui",
    "vendor_files",
    "engine",
    "oauth",
    "store",
    "context",
    "login",
    "refresh",
    "resolve",
    "handout",
    "status",
    "revoke",
    "error",
    "client",
];

/// The uses that still point up.
const EXCEPTIONS: &[&str] = &[];

#[test]
fn layers_point_down_only() {
    let sources = below("src");
    let exports = exports(&sources);
    let mut up = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some(user) = top_module(&source.path) else { continue };
        for used in uses(&source.code) {
            let used = exports.get(&used).unwrap_or(&used).clone();
            if layer(&used) > layer(&user) {
                let places: &mut BTreeSet<_> = up.entry(format!("{user} uses {used}")).or_default();
                places.insert(source.path.clone());
            }
        }
    }
    assert_only("a module uses one above it, see LAYERS", &up, EXCEPTIONS);
}

fn layer(module: &str) -> usize {
    let place = LAYERS.iter().position(|layer| *layer == module);
    place.unwrap_or_else(|| panic!("the module {module} has no place in LAYERS of {}", file!()))
}

/// The library's module that a file is in: `store` for `src/store/key/mod.rs`. The program is no part of it.
fn top_module(path: &str) -> Option<String> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "cli"].contains(&name)).then(|| name.to_owned())
}

/// The names at the crate's root that some code uses.
fn uses(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let path = &code[at + "crate::".len()..];
        match path.strip_prefix('{') {
            Some(group) => used.extend(items(group).into_iter().filter_map(|item| name_at(item.trim()))),
            None => used.extend(name_at(path)),
        }
    }
    used
}

/// The paths in a group, which is read from after its brace.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut items, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&group[start..]);
    items
}

fn name_at(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    (end > 0).then(|| path[..end].to_owned())
}

/// The module of each name that `lib.rs` exports at the crate's root.
fn exports(sources: &[Source]) -> BTreeMap<String, String> {
    let root = sources.iter().find(|source| source.path == "src/lib.rs").expect("the library's root");
    let mut exports = BTreeMap::new();
    for (at, _) in root.code.match_indices("pub use crate::") {
        let statement = root.code[at + "pub use crate::".len()..].split(';').next().unwrap_or_default();
        let group = statement.strip_prefix('{').unwrap_or(statement);
        for item in items(group) {
            let mut names =
                item.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty());
            if let Some(module) = names.next() {
                exports.extend(names.map(|name| (name.to_owned(), module.to_owned())));
            }
        }
    }
    exports
}
