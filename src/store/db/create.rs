//! Creating a database.
//!
//! It is built under a temporary name and moved into place when it is whole and synced, never over another. So
//! nobody sees half of one, and of many processes that create it at once one wins and the others use its file.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{connect, migrate, permissions};
use crate::{
    fs::stale,
    store::{StoreError, error::Fault},
};

/// The start of an unfinished database's name, and of the names of the files that SQLite keeps beside it.
const UNFINISHED: &str = ".credentials-";
/// The age from which nobody is still building a database.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// Creates the database at `path`, unless another process has just done so.
pub(in crate::store) fn create(path: &Path) -> Result<(), StoreError> {
    refuse_strays(path)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    stale::remove_files(directory, UNFINISHED, STALE_AFTER);
    // A new file of mode 0600. Its descriptor is closed here, before SQLite takes locks on the file.
    let new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .suffix(".new")
        .tempfile_in(directory)
        .map_err(StoreError::io("create a file in", directory))?
        .into_temp_path();
    build(&new).map_err(|fault| fault.at(new.to_path_buf()))?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(StoreError::io("write", &*new))?;
    match new.persist_noclobber(path) {
        Ok(()) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StoreError::io("create", path)(error.error)),
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(StoreError::io("write", directory))
}

fn build(new: &Path) -> Result<(), Fault> {
    let mut connection = connect::connection(new)?;
    // Nobody else uses the file yet, and it is synced as a whole afterwards.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")?;
    migrate::to_latest(&mut connection, new)?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    Ok(connection.close().map_err(|(_, error)| error)?)
}

/// Refuses a log without its database: SQLite would play it into the new one.
pub(in crate::store) fn refuse_strays(path: &Path) -> Result<(), StoreError> {
    for stray in [beside(path, "-wal"), beside(path, "-journal")] {
        let holds_data = permissions::file(&stray)?.is_some_and(|found| found.len() > 0);
        // In this order, because another process may be creating both just now.
        if holds_data && permissions::file(path)?.is_none() {
            let why = format!(
                "it belongs to {}, which is missing: put that back, or move this aside",
                path.display()
            );
            return Err(StoreError::Refused { path: stray, why });
        }
    }
    Ok(())
}

/// Returns the path of the file that SQLite keeps beside `path`.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
