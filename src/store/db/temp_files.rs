//! Databases that were never finished, because whoever made them was killed.

use std::{fs, path::Path, time::Duration};

use crate::fs::stale::is_stale;

/// What the name of a database in the making begins and ends with.
pub(in crate::store) const AFFIXES: (&str, &str) = (".credentials-", ".new");
/// Making one takes much less.
const YOUNG: Duration = Duration::from_secs(60);

/// Removes those that nobody is making any more, with what SQLite kept beside them. They hold no secret yet.
pub(in crate::store) fn remove_stale(directory: &Path) {
    let (prefix, suffix) = AFFIXES;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_one = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.contains(suffix));
        if is_one && is_stale(&entry.path(), YOUNG) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
