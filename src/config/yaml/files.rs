//! Reading configuration files, without parsing them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Problem;
use crate::fs::read;

/// The largest file that is read as configuration, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a configuration file. A file that another user could have written is refused.
///
/// # Errors
/// The reason why the file cannot be read.
pub fn read_file(path: &Path) -> Result<String, Problem> {
    text(path, read::read_own(path, MAX_BYTES))
}

/// Reads a file that is only checked, whoever could have written it.
///
/// # Errors
/// The reason why the file cannot be read.
pub fn read_to_check(path: &Path) -> Result<String, Problem> {
    text(path, read::read_plain(path, MAX_BYTES))
}

fn text(path: &Path, read: io::Result<Vec<u8>>) -> Result<String, Problem> {
    let bytes = read.map_err(|error| Problem::unread(path, &error))?;
    String::from_utf8(bytes).map_err(|_| Problem::unread(path, &"it is not UTF-8"))
}

/// The problem of a file of a `subject` that has another one, with the other extension. Neither is used, so that no
/// order decides who is sent the secrets.
pub fn duplicate(path: &Path, subject: &str) -> Option<Problem> {
    let other = path.with_extension(if path.extension()? == "yaml" { "yml" } else { "yaml" });
    fs::symlink_metadata(&other).ok()?;
    let message = format!("the {subject} has two files: remove this one or {}", other.display());
    Some(Problem::of_file(path, message))
}

/// Lists the YAML files of a directory, sorted, with the errors of reading it. The directory may be missing.
pub fn files(directory: &Path) -> (Vec<PathBuf>, Vec<Problem>) {
    let cannot = |error: io::Error| Problem::unread(directory, &error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            let absent = error.kind() == io::ErrorKind::NotFound;
            let why = if absent { read::check_absent(directory) } else { Err(error) };
            return (Vec::new(), why.err().map(cannot).into_iter().collect());
        }
    };
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Ok(entry) => files.push(entry.path()),
            Err(error) => unread.push(cannot(error)),
        }
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    files.sort();
    (files, unread)
}
