//! Files that a killed process left behind.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::Duration,
};

/// Removes our regular files in a directory whose names start with `prefix` and that are at least `age` old. Errors are
/// ignored: a file that stays does no harm.
pub fn remove_files(directory: &Path, prefix: &str, age: Duration) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        if entry.metadata().is_ok_and(|found| is_old_and_ours(&found, age)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a path is a regular file of ours that is at least `age` old, so that no process is still writing it.
pub(crate) fn is_stale(path: &Path, age: Duration) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| is_old_and_ours(&found, age))
}

fn is_old_and_ours(found: &Metadata, age: Duration) -> bool {
    let elapsed = found.modified().ok().and_then(|at| at.elapsed().ok());
    let is_ours = found.uid() == rustix::process::geteuid().as_raw();
    found.is_file() && is_ours && elapsed.is_some_and(|elapsed| elapsed >= age)
}
