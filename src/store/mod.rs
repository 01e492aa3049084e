//! The credential database: one SQLite file, `credentials.db`, in a directory of its owner's.
//!
//! Any number of processes and threads may have it open, each with its own [`Store`]. What a file must be to
//! be opened is in `trust` and `header`: anything else is refused and left byte for byte as it is.
//!
//! One rule for the rest of the program: while a [`Store`] is open, do not open `credentials.db` by other
//! means in the same process. Closing any descriptor of a file drops all POSIX locks that the process has on
//! it, SQLite's included.

mod audit;
mod backup;
mod crypto;
mod db;
mod error;
mod key;
mod record;
mod refresh_state;
mod retry;
mod settings;
mod shared;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use rusqlite::Connection;

pub use self::{
    audit::{AUDIT_ENTRIES, Action, AuditEntry, Outcome},
    backup::{BackupError, BackupLock, BackupUnlock, Restored, may_write_backup, needs_passphrase},
    crypto::rekey::Rekey,
    db::{header::APPLICATION_ID, migrate::SCHEMA_VERSION},
    error::StoreError,
    key::{
        CachedKey, KeySource, KeyState, Locked, PassphraseProvider, PassphraseRequest, PromptError,
        set_passphrase_provider,
    },
    record::{
        remove::Removal,
        row::{Listing, Summary, Unreadable},
        write::Swap,
    },
    refresh_state::{
        attempt::{AttemptState, BeginOutcome, RefreshAttempt},
        backoff::Backoff,
    },
    settings::{Place, check_settings},
    shared::SharedStore,
};
pub(crate) use self::{
    db::connect::BUSY_TIMEOUT,
    retry::{RETRY_LIMIT, retry_until_writable},
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
    held: Option<db::shared_fd::SharedFd>,
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
        let path = db::permissions::create_directory(place.data_dir())?.join(FILE_NAME);
        if db::permissions::file(&path)?.is_none() {
            db::create::create(&path)?;
        }
        db::connect::connect(&path, place)
    }

    /// Opens the database in a data directory if there is one, and creates nothing if there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_existing(place: impl Into<Place>) -> Result<Option<Self>, StoreError> {
        let place = place.into();
        let Some(directory) = db::permissions::directory(place.data_dir())? else { return Ok(None) };
        let path = directory.join(FILE_NAME);
        if db::permissions::file(&path)?.is_none() {
            db::create::refuse_strays(&path)?;
            return Ok(None);
        }
        db::connect::connect(&path, place).map(Some)
    }

    /// A store that lives in memory and ends with the value; for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`] when SQLite has no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        db::connect::in_memory()
    }

    /// Where the database is; `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        self.held.as_ref().map(db::shared_fd::SharedFd::path)
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

    fn ledger_failed(&self, error: crypto::ledger::LedgerError) -> StoreError {
        match error {
            crypto::ledger::LedgerError::Sqlite(source) => self.failed(source),
            crypto::ledger::LedgerError::Altered => StoreError::LedgerAltered { path: self.place() },
            crypto::ledger::LedgerError::Other(error) => error,
        }
    }

    /// The path for messages.
    fn place(&self) -> PathBuf {
        self.path().unwrap_or(Path::new(db::connect::IN_MEMORY)).to_owned()
    }
}
