//! Checks that a file or directory can be trusted with secrets: it is ours, closed to others, and not a link.
//!
//! A directory that others can read is accepted, because the files in it are closed to them. One that others can
//! write to is not, because they could put other files there. Directories above the data directory are not checked.

use std::{
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt as _},
    path::{Path, PathBuf},
};

use crate::{
    fs::private::{Expected, distrust_reason},
    store::StoreError,
};

/// Returns the real path of a data directory, `None` if it does not exist.
pub(in crate::store) fn directory(data_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    // Without a trailing slash, which would follow a link.
    let data_dir: PathBuf = data_dir.components().collect();
    if look(&data_dir, Expected::Directory)?.is_none() {
        return Ok(None);
    }
    // SQLite is told to follow no link at all, and links above the directory are allowed.
    data_dir.canonicalize().map(Some).map_err(StoreError::io("find", data_dir))
}

/// Like [`directory`], but creates a missing directory.
pub(in crate::store) fn create_directory(data_dir: &Path) -> Result<PathBuf, StoreError> {
    if directory(data_dir)?.is_none() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(StoreError::io("create", data_dir))?;
    }
    directory(data_dir)?.ok_or_else(|| StoreError::io("find", data_dir)(io::ErrorKind::NotFound.into()))
}

/// Returns the metadata of a file that can be trusted, `None` if it does not exist.
pub(in crate::store) fn file(path: &Path) -> Result<Option<Metadata>, StoreError> {
    look(path, Expected::File)
}

/// Returns whether both paths lead to the same file or directory.
pub(in crate::store) fn is_same(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    id(a).is_some_and(|a| id(b) == Some(a))
}

fn look(path: &Path, expected: Expected) -> Result<Option<Metadata>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(found) => match distrust_reason(path, &found, expected) {
            Some(why) => Err(StoreError::Refused { path: path.to_owned(), why }),
            None => Ok(Some(found)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("look at", path)(error)),
    }
}
