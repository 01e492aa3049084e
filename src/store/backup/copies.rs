//! The copies of the credentials that a restore has replaced. The newest few of them stay.

use std::{fs, path::Path};

use jiff::{Timestamp, civil::DateTime};

use crate::store::db::permissions::is_same;

/// The number of copies that stay.
const KEPT: usize = 3;

const PREFIX: &str = "before-restore-";
const TIME: &str = "%Y%m%dT%H%M%S%.6fZ";
const SUFFIX: &str = ".age";

/// Returns the name of a copy that is made now. Names sort by age.
pub(super) fn name(now: Timestamp) -> String {
    format!("{PREFIX}{}{SUFFIX}", now.strftime(TIME))
}

/// Returns whether we gave a file this name.
fn is_copy(name: &str) -> bool {
    let time = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    time.is_some_and(|time| DateTime::strptime(TIME, time).is_ok())
}

/// Removes the oldest copies beside `newest`, but never the one that was just restored. A copy that cannot be removed now
/// is left for the next restore.
pub(super) fn thin_out(newest: &Path, restored: &Path) {
    let Some(directory) = newest.parent() else { return };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_file = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let mut copies: Vec<_> = entries
        .filter(|entry| is_file(entry) && entry.file_name().to_str().is_some_and(is_copy))
        .map(|entry| entry.path())
        .collect();
    copies.sort();
    copies.reverse();
    for old in copies.iter().skip(KEPT).filter(|path| !is_same(path, restored)) {
        let _ = fs::remove_file(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_with_a_similar_name_is_not_a_copy() {
        assert!(is_copy(&name(crate::clock::now())));
        for other in [
            "before-restore-.age",
            "before-restore-mine.age",
            "before-restore-20260101T000000.000000Z.age.bak",
        ] {
            assert!(!is_copy(other), "{other}");
        }
    }
}
