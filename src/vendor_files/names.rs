//! Names of what a login left, for people to look at.

use std::path::Path;

use rustix::fs::{Dir, FileType};

use super::directory::{Directory, Owner};

/// How many names are shown.
const SHOWN: usize = 40;
/// How many directory entries are looked at: a hostile directory may hold millions.
const LOOKED_AT: usize = 2_000;
const DEPTH: usize = 4;

/// Relative paths of what is in the directory, escaped, never contents: for the message of a login that captured
/// nothing. At most 40, the last then being `...`; a directory ends in `/`. No link is followed.
pub fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(root) = Directory::open(dir, Owner::anyone()) {
        let mut budget = LOOKED_AT;
        list(&root, "", DEPTH, &mut budget, &mut found);
    }
    found.sort();
    if found.len() > SHOWN {
        found.truncate(SHOWN - 1);
        found.push("...".to_owned());
    }
    found
}

fn list(dir: &Directory, prefix: &str, depth: usize, budget: &mut usize, found: &mut Vec<String>) {
    let Ok(entries) = Dir::read_from(dir) else { return };
    let mut below = Vec::new();
    for entry in entries {
        let Ok(entry) = entry else { return };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Some(left) = budget.checked_sub(1) else { return };
        *budget = left;
        let is_dir = entry.file_type() == FileType::Directory;
        let shown = format!("{prefix}{}{}", escape(name.to_bytes()), if is_dir { "/" } else { "" });
        if is_dir && depth > 1 {
            below.push((name.to_owned(), shown.clone()));
        }
        found.push(shown);
    }
    for (name, shown) in below {
        if let Ok(Some(next)) = dir.descend(&name, &shown) {
            list(&next, &shown, depth - 1, budget, found);
        }
    }
}

/// Text that came from elsewhere, safe to show on a terminal: control, formatting and other invisible characters,
/// invalid UTF-8 and the backslash are escaped.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\'' => shown.push(c),
                c => shown.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}
