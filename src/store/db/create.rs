//! Creating a database.
//!
//! It is built under a temporary name, tried, and moved into place when it is whole and synced, never over another. So
//! nobody sees half of one, of many processes that create it at once one wins and the others use its file, and nothing
//! stays where a file system cannot hold a database.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{connect, journal, migrate, permissions};
use crate::{
    fs::{private, stale, unwritable::is_closed},
    store::{
        StoreError,
        error::{Fault, refusal},
        key::passphrase_provider,
    },
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
    // A new file of mode 0600.
    let new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .suffix(".new")
        .tempfile_in(directory)
        .map_err(StoreError::io("create a file in", directory))?;
    let unfit = |why| StoreError::NoDatabase { path: path.to_owned(), why };
    if !new.as_file().metadata().is_ok_and(|found| is_closed(&found)) {
        return Err(unfit("it keeps no modes, so that others could read every file".to_owned()));
    }
    // Its descriptor is closed before SQLite takes locks on the file.
    let new = new.into_temp_path();
    let failed = |fault: Fault| match fault.at(path.to_owned()) {
        StoreError::Database { why, is_transient: true, .. } if refusal(path).is_none() => unfit(why),
        StoreError::Database { why, is_transient, .. } => {
            StoreError::Database { path: path.to_owned(), why, is_transient }
        }
        other => other,
    };
    let has_log = build(&new).map_err(failed)?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(StoreError::io("write", &*new))?;
    let lock = migrate::lock_directory(path)?;
    match private::rename_new(&new, path) {
        Ok(()) if !has_log => passphrase_provider().without_shared_memory(path),
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(StoreError::io("create", path)(error)),
    }
    drop(lock);
    File::open(directory).and_then(|file| file.sync_all()).map_err(StoreError::io("write", directory))
}

/// Returns whether the database has a write-ahead log.
fn build(new: &Path) -> Result<bool, Fault> {
    let mut connection = connect::connection(new)?;
    // Nobody else uses the file yet, and it is synced as a whole afterwards.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")?;
    migrate::to_latest(&mut connection, new)?;
    connection.execute_batch("PRAGMA journal_mode = WAL")?;
    let used = connection.query_row("PRAGMA user_version", [], |_| Ok(()));
    connection.close().map_err(|(_, error)| error)?;
    match used {
        Err(error) if journal::is_without_shared_memory(&error) => {
            journal::leave_wal(new)?;
            Ok(false)
        }
        used => Ok(used.map(|()| true)?),
    }
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
