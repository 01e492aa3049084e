//! Making a new database. It is built under another name and moved into place when it is whole, so nobody
//! ever sees half of one, and of any number of processes that create it at once one wins and the others use
//! what it made.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempPath;

use super::{migrate, permissions, temp_files};
use crate::store::StoreError;

/// Creates the database at `path`. Somebody else having done so in the meantime is no error.
pub(in crate::store) fn create(path: &Path) -> Result<(), StoreError> {
    refuse_strays(path)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    temp_files::remove_stale(directory);
    // A new file of mode 0600. Its descriptor is closed here, before SQLite takes locks on the file.
    let new = tempfile::Builder::new()
        .prefix(temp_files::AFFIXES.0)
        .suffix(temp_files::AFFIXES.1)
        .tempfile_in(directory)
        .map_err(StoreError::io("create a file in", directory))?
        .into_temp_path();
    build(&new)?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(StoreError::io("write", &*new))?;
    match new.persist_noclobber(path) {
        Ok(()) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StoreError::io("create", path)(error.error)),
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(StoreError::io("write", directory))
}

fn build(new: &TempPath) -> Result<(), StoreError> {
    let failed = |source| StoreError::from_sqlite(new.to_path_buf(), source);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(new, flags).map_err(failed)?;
    // Nobody else knows the file, and it is synced as a whole afterwards.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF").map_err(failed)?;
    migrate::to_latest(&mut connection, new)?;
    connection.execute_batch("PRAGMA journal_mode = WAL").map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))
}

/// Refuses a log that lies there without its database: SQLite would play it into the new one.
pub(in crate::store) fn refuse_strays(path: &Path) -> Result<(), StoreError> {
    for stray in [beside(path, "-wal"), beside(path, "-journal")] {
        let holds_data = permissions::file(&stray)?.is_some_and(|found| found.len() > 0);
        // Looked at in this order, for another process may be creating both just now.
        if holds_data && permissions::file(path)?.is_none() {
            let why = format!(
                "it belongs to {}, which is missing: restore that, or move this aside",
                path.display()
            );
            return Err(StoreError::Refused { path: stray, why });
        }
    }
    Ok(())
}

/// The file that SQLite keeps beside `path` under this suffix.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
