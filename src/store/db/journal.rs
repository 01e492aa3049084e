//! The rollback journal, for file systems without the shared memory that a write-ahead log needs (some in user space).
//!
//! The header of the database says which of the two it has, so all processes agree. With a rollback journal, readers and
//! a writer wait for each other.

use std::{fs, path::Path};

use rusqlite::ffi;

use super::{connect, create::beside};

/// Whether an error says that the file system maps no memory that processes share.
pub(in crate::store) fn is_without_shared_memory(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMMAP)
}

/// Gives up the write-ahead log for a rollback journal. Nobody else may have the database open.
pub(in crate::store) fn leave_wal(path: &Path) -> rusqlite::Result<()> {
    let connection = connect::connection(path)?;
    // Exclusive access needs no shared memory.
    connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let _ = fs::remove_file(beside(path, "-shm"));
    Ok(())
}
