//! Names of the files that a login left, for messages.

use std::path::Path;

use rustix::fs::{Dir, FileType};

use super::directory::Directory;
use crate::redact::escape;

/// Limit of the names that are returned.
const MAX_NAMES: usize = 40;
/// Limit of the directory entries that are looked at: an untrusted directory may hold millions.
const MAX_ENTRIES: usize = 2_000;
const MAX_DEPTH: usize = 4;

/// Lists the relative paths in a directory, escaped, for the error of a login that captured nothing.
///
/// Directories end in `/`. More than 40 names are cut to 39 and `...`. No link is followed and no file is read.
pub fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(root) = Directory::open_anyones(dir) {
        let mut budget = MAX_ENTRIES;
        list(&root, "", MAX_DEPTH, &mut budget, &mut found);
    }
    found.sort();
    if found.len() > MAX_NAMES {
        found.truncate(MAX_NAMES - 1);
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
        let display = format!("{prefix}{}{}", escape(name.to_bytes()), if is_dir { "/" } else { "" });
        if is_dir && depth > 1 {
            below.push((name.to_owned(), display.clone()));
        }
        found.push(display);
    }
    for (name, display) in below {
        if let Ok(Some(next)) = dir.descend(&name, &display) {
            list(&next, &display, depth - 1, budget, found);
        }
    }
}
