//! Whether a file or a directory can be trusted with secrets: ours, nobody else's, and not a link.
//!
//! A directory that others may look into is taken, for what lies in it is closed to them; one that they may
//! write to is not, for they could put other files there. What is above the data directory is not looked at: that is between the user and the system.

use std::{
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::{
    fs::private::{Expected, distrust_reason},
    store::StoreError,
};

/// The real path of a data directory, `None` when it does not exist.
pub(in crate::store) fn directory(data_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    // Without its trailing slash, which would have a link followed.
    let data_dir: PathBuf = data_dir.components().collect();
    if look(&data_dir, Expected::Directory)?.is_none() {
        return Ok(None);
    }
    // SQLite is told to follow no link at all, and those above the directory are no concern of ours.
    data_dir.canonicalize().map(Some).map_err(StoreError::io("find", data_dir))
}

/// As [`directory`], but creates it where it is missing.
pub(in crate::store) fn create_directory(data_dir: &Path) -> Result<PathBuf, StoreError> {
    if let Some(directory) = directory(data_dir)? {
        return Ok(directory);
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(StoreError::io("create", data_dir))?;
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    directory(data_dir)?.ok_or_else(|| StoreError::io("find", data_dir)(gone()))
}

/// What is known of a file that may be trusted, `None` when it does not exist.
pub(in crate::store) fn file(path: &Path) -> Result<Option<Metadata>, StoreError> {
    look(path, Expected::File)
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
