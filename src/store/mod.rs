//! The credential database: one SQLite file, `credentials.db`, in a directory of its owner's.
//!
//! Any number of processes and threads may have it open, each with its own [`Store`]. What a file must be to
//! be opened is in `trust` and `header`: anything else is refused and left byte for byte as it is.
//!
//! One rule for the rest of the program: while a [`Store`] is open, do not open `credentials.db` by other
//! means in the same process. Closing any descriptor of a file drops all POSIX locks that the process has on
//! it, SQLite's included.

mod account;
mod audit;
mod backup;
mod change;
mod check;
mod connect;
mod create;
mod details;
mod erase;
mod error;
mod exchange;
mod first;
mod header;
mod held;
mod key;
mod ledger;
mod migrate;
mod moving;
mod patiently;
mod postponed;
mod profiles;
mod read;
mod read_back;
mod rekey;
mod remove;
mod row;
mod seal;
mod settings;
mod shared;
mod trust;
mod unfinished;
mod write;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use rusqlite::Connection;

pub(crate) use self::connect::BUSY_TIMEOUT;
pub(crate) use self::patiently::{PATIENCE, patiently};
pub use self::{
    audit::{AUDIT_ENTRIES, Action, AuditEntry, Outcome},
    backup::{BackupError, Lock, Restored, Unlock, may_write_backup, needs_passphrase},
    error::StoreError,
    exchange::{Begun, Exchange, ExchangeState},
    header::APPLICATION_ID,
    key::{Custodian, HeldKey, KeyState, Locked, Question, Source, Unanswered, set_custodian},
    migrate::SCHEMA_VERSION,
    postponed::Postponed,
    rekey::Rekey,
    remove::Removal,
    row::{Listing, Summary, Unreadable},
    settings::{Place, check_settings},
    shared::SharedStore,
    write::Swap,
};

/// The name of the database in the data directory.
pub const FILE_NAME: &str = "credentials.db";

/// An open credential database.
///
/// Opening needs no key. What reads or writes a secret gets the data key when it needs it, once.
#[derive(Debug)]
pub struct Store {
    // Dropped before `held`: the connection has to be closed first.
    connection: Connection,
    held: Option<held::Held>,
    place: Place,
    key: Mutex<Option<Arc<key::DataKey>>>,
    /// Whether the settings were compared with what is recorded.
    compared: AtomicBool,
    action: Option<Action>,
    /// The schema version that it had when it was opened.
    found: i32,
}

impl Store {
    /// Opens the database in a data directory, and creates both where they are missing: the directory, and what
    /// is missing above it, with mode 0700, the file with mode 0600, whatever the umask. One that an earlier
    /// version wrote is brought up to date and sealed, if that needs no passphrase; otherwise as soon as a
    /// credential is read or written.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a place that is not ours alone, [`StoreError::Newer`],
    /// [`StoreError::Foreign`] and [`StoreError::Corrupt`] for a file that is not ours to read,
    /// [`StoreError::Locked`] after ten seconds of waiting, [`StoreError::Io`] and [`StoreError::Database`]
    /// for what the system refuses. None of them changes the file.
    pub fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let path = trust::make_directory(place.data_dir())?.join(FILE_NAME);
        if trust::file(&path)?.is_none() {
            create::create(&path)?;
        }
        connect::connect(&path, place)
    }

    /// Opens the database in a data directory if there is one, and creates nothing if there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_existing(place: impl Into<Place>) -> Result<Option<Self>, StoreError> {
        let place = place.into();
        let Some(directory) = trust::directory(place.data_dir())? else { return Ok(None) };
        let path = directory.join(FILE_NAME);
        if trust::file(&path)?.is_none() {
            create::refuse_strays(&path)?;
            return Ok(None);
        }
        connect::connect(&path, place).map(Some)
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

    /// The directory that it is in; `None` for one in memory.
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.path().and_then(Path::parent)
    }

    /// The schema version that the database had when it was opened; before it was brought up to date.
    pub fn schema_when_opened(&self) -> i32 {
        self.found
    }

    /// How many credentials there are.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn count(&self) -> Result<u64, StoreError> {
        let count =
            self.connection.query_row("SELECT count(*) FROM credential", [], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(|e| self.failed(e))
    }

    /// Puts a failure of SQLite into our words.
    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(self.place(), source)
    }

    fn here(&self, row: Unreadable) -> Unreadable {
        Unreadable { path: self.place(), ..row }
    }

    fn ledger_failed(&self, error: ledger::LedgerError) -> StoreError {
        match error {
            ledger::LedgerError::Sqlite(source) => self.failed(source),
            ledger::LedgerError::Altered => StoreError::LedgerAltered { path: self.place() },
            ledger::LedgerError::Other(error) => error,
        }
    }

    /// The path for messages.
    fn place(&self) -> PathBuf {
        self.path().unwrap_or(Path::new(connect::IN_MEMORY)).to_owned()
    }
}
