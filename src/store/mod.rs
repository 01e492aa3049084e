//! The credential database: one SQLite file, `credentials.db`, in a directory that is its owner's alone.
//!
//! Any number of processes and threads may have it open, each with its own [`Store`]. `db::permissions` and
//! `db::identify` say which files are opened; others are refused and left byte for byte as they are.
//!
//! While a [`Store`] is open, do not open `credentials.db` by other means in the same process. Closing any descriptor
//! of a file drops all POSIX locks that the process has on it, SQLite's included.

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
    backup::{BackupLock, BackupUnlock, Restored, may_write_backup, needs_passphrase},
    crypto::rekey::Rekey,
    db::{identify::APPLICATION_ID, migrate::SCHEMA_VERSION},
    error::StoreError,
    key::{
        KeySource, KeyState, Locked, PassphraseProvider, PassphraseRequest, PromptError,
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
/// Opening needs no key. The first operation that reads or writes a secret gets the data key.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// The path of the database; `None` for one in memory.
    path: Option<PathBuf>,
    place: Place,
    key: Mutex<Option<Arc<key::DataKey>>>,
    /// Whether the settings were compared with the recorded key source.
    compared: AtomicBool,
    action: Option<Action>,
    /// The schema version at opening.
    found: i32,
    /// The reason why nothing can be written. This store is then a copy in memory, as of its opening.
    read_only: Option<String>,
}

impl Store {
    /// Opens the database in a data directory, and creates both if they are missing.
    ///
    /// Directories get mode 0700 and the file 0600, whatever the umask. A database of an earlier version is migrated and
    /// sealed; if that needs a passphrase, when a credential is first read or written.
    ///
    /// # Errors
    /// - [`StoreError::Refused`] for a place that is not ours alone.
    /// - [`StoreError::Newer`], [`StoreError::Foreign`] and [`StoreError::Corrupt`] for a file that we cannot read.
    /// - [`StoreError::Busy`] after ten seconds of waiting.
    /// - [`StoreError::Io`] and [`StoreError::Database`] for failures of the system.
    ///
    /// None of them changes the file. A database that can only be read is opened all the same
    /// ([`Store::is_read_only`]); changes are then errors.
    pub fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let path = db::permissions::create_directory(place.data_dir())?.join(FILE_NAME);
        if db::permissions::file(&path)?.is_none() {
            db::create::create(&path)?;
        }
        db::connect::connect(&path, place)
    }

    /// Opens the database in a data directory, and creates nothing. Returns `None` if there is none.
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

    /// Creates a store in memory, for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`] when SQLite has no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        db::connect::in_memory()
    }

    /// Returns the path of the database, `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the directory of the database, `None` for one in memory.
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.path().and_then(Path::parent)
    }

    /// Returns whether the database could only be read: nothing can be written where it is. This store then shows it as it
    /// was when it was opened.
    pub fn is_read_only(&self) -> bool {
        self.read_only.is_some()
    }

    /// Returns the schema version that the database had when it was opened, before it was migrated.
    pub fn schema_when_opened(&self) -> i32 {
        self.found
    }

    /// Returns the number of credentials.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM credential";
        self.run(|| Ok(self.connection.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs()))
    }

    /// Names this database in the description of a damaged row.
    fn here(&self, row: Unreadable) -> Unreadable {
        Unreadable { path: self.place(), ..row }
    }

    /// Returns the path for messages.
    fn place(&self) -> PathBuf {
        self.path().unwrap_or(Path::new(db::connect::IN_MEMORY)).to_owned()
    }
}
