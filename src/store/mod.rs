//! The credential database: one SQLite file, `credentials.db`, in a directory of its owner's.
//!
//! Any number of processes and threads may have it open, each with its own [`Store`]. What a file must be to
//! be opened is in `trust` and `header`: anything else is refused and left byte for byte as it is.
//!
//! One rule for the rest of the program: while a [`Store`] is open, do not open `credentials.db` by other
//! means in the same process. Closing any descriptor of a file drops all POSIX locks that the process has on
//! it, SQLite's included.

mod change;
mod check;
mod connect;
mod create;
mod details;
mod erase;
mod error;
mod header;
mod held;
mod migrate;
mod profiles;
mod read;
mod read_back;
mod remove;
mod row;
mod seal;
mod shared;
mod trust;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use self::{
    error::StoreError, header::APPLICATION_ID, migrate::SCHEMA_VERSION, remove::Removal, row::Summary,
    shared::SharedStore, write::Swap,
};

/// The name of the database in the data directory.
pub const FILE_NAME: &str = "credentials.db";

/// An open credential database.
#[derive(Debug)]
pub struct Store {
    // Dropped before `held`: the connection has to be closed first.
    connection: Connection,
    held: Option<held::Held>,
}

impl Store {
    /// Opens the database in `data_dir`, and creates both where they are missing: the directory, and what is
    /// missing above it, with mode 0700, the file with mode 0600, whatever the umask.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a place that is not ours alone, [`StoreError::Newer`],
    /// [`StoreError::Foreign`] and [`StoreError::Corrupt`] for a file that is not ours to read,
    /// [`StoreError::Locked`] after ten seconds of waiting, [`StoreError::Io`] and [`StoreError::Database`]
    /// for what the system refuses. None of them changes the file.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path = trust::make_directory(data_dir)?.join(FILE_NAME);
        if trust::file(&path)?.is_none() {
            create::create(&path)?;
        }
        connect::connect(&path)
    }

    /// Opens the database in `data_dir` if there is one, and creates nothing if there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_existing(data_dir: &Path) -> Result<Option<Self>, StoreError> {
        let Some(directory) = trust::directory(data_dir)? else { return Ok(None) };
        let path = directory.join(FILE_NAME);
        if trust::file(&path)?.is_none() {
            create::refuse_strays(&path)?;
            return Ok(None);
        }
        connect::connect(&path).map(Some)
    }

    /// A store that lives in memory and ends with the value; for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`] when SQLite has no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        connect::in_memory()
    }

    /// Where the database is; `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        self.held.as_ref().map(held::Held::path)
    }

    /// Puts a failure of SQLite into our words.
    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(self.place(), source)
    }

    /// The path for messages.
    fn place(&self) -> PathBuf {
        self.path().unwrap_or(Path::new(connect::IN_MEMORY)).to_owned()
    }
}
