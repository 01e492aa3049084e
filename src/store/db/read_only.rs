//! Reading a database where nothing can be written.
//!
//! Even for reading, SQLite makes a file of shared memory beside a database in WAL mode, unless another process has left
//! one. Where that fails (a read-only mount, a directory of mode 0500, a full disk), the database is copied into memory
//! together with its write-ahead log, so that the copy is as new as the files.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OpenFlags, backup::Backup, config::DbConfig, ffi};

use super::{change::ATTEMPTS, create::beside};

/// Opens a connection that writes nothing. SQLite reads the file, not we: closing a descriptor of our own would drop the
/// POSIX locks that the other connections of this process hold on it (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
pub(in crate::store) fn connection(path: &Path, how: &str) -> rusqlite::Result<Connection> {
    let mut uri =
        url::Url::from_file_path(path).map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))?;
    uri.set_query(Some(how));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(uri.as_str(), flags)
}

/// Copies the database into memory, as of one moment.
///
/// It is read without locks, because nobody writes: a writer would have made the file of shared memory, which we could
/// use. One that has begun meanwhile has changed the files, and they are read again.
pub(in crate::store) fn copy(path: &Path) -> rusqlite::Result<Connection> {
    for _ in 0..ATTEMPTS {
        let before = state(path);
        let copied = copy_as_it_is(path);
        if state(path) == before {
            return copied;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None))
}

fn copy_as_it_is(path: &Path) -> rusqlite::Result<Connection> {
    let is_empty = |suffix| fs::metadata(beside(path, suffix)).map_or(true, |found| found.len() == 0);
    if !is_empty("-journal") {
        // A change was cut off, and has to be undone in the file first.
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY_ROLLBACK), None));
    }
    let from = match is_empty("-wal") {
        true => connection(path, "immutable=1")?,
        false => {
            let from = connection(path, "mode=ro&vfs=unix-none")?;
            from.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            // The index of the log is then in this process's memory.
            from.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
            from
        }
    };
    let mut copy = Connection::open_in_memory()?;
    Backup::new(&from, &mut copy)?.step(-1)?;
    Ok(copy)
}

/// The files that hold data: which they are, their sizes and the times of their last change.
fn state(path: &Path) -> [Option<(u64, u64, Option<SystemTime>)>; 3] {
    ["", "-wal", "-journal"].map(|suffix| {
        let found = fs::symlink_metadata(beside(path, suffix)).ok()?;
        Some((found.ino(), found.len(), found.modified().ok()))
    })
}
