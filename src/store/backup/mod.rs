//! Backups: all credentials in one file in the age format (age-encryption.org/v1), sealed with a passphrase or for
//! recipients. Inside is JSON; see `content`.

mod age_file;
mod content;
mod copies;
mod refresh_conflicts;
mod restore;

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

pub use self::{
    age_file::{BackupLock, BackupUnlock, may_write as may_write_backup, needs_passphrase},
    restore::Restored,
};
use super::{
    Action, RefreshAttempt, Store, StoreError,
    crypto::ledger::Ledger,
    key::{ATTEMPTS, DataKey, PromptPolicy},
    record::row::{COLUMNS, Summary, summary},
    refresh_state::attempt::of_all,
};
use crate::credential::Record;

/// What is wrong with a backup, or with what should lock or open it.
#[derive(Debug, thiserror::Error)]
#[error("{} {why}", crate::redact::redact_path(path))]
pub struct BackupError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub why: String,
    /// Whether it is what was asked for that is wrong: a recipient that is none, for example.
    pub usage: bool,
}

impl BackupError {
    fn bad(path: &Path, why: impl Into<String>) -> StoreError {
        StoreError::Backup(Self { path: path.to_owned(), why: why.into(), usage: false })
    }

    fn usage(path: &Path, why: impl Into<String>) -> StoreError {
        StoreError::Backup(Self { path: path.to_owned(), why: why.into(), usage: true })
    }
}

/// A credential as a backup keeps it.
struct BackupEntry {
    record: Record,
    /// How the exchange of its refresh token stands.
    exchange: Option<RefreshAttempt>,
}

/// All credentials at one moment.
struct Snapshot {
    /// An error for each that does not open or cannot be read.
    records: Vec<Result<BackupEntry, StoreError>>,
    /// Whether the ledger lists all of them: what of one that was altered is missing cannot be known to be current.
    is_listed: bool,
    /// The moment: each change of a credential counts.
    as_of: i64,
}

fn clock(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT version FROM clock", [], |row| row.get(0))
}

impl Store {
    /// Writes all credentials, as they are at one moment, into a new file, 0600, in one step. A file that is there is
    /// replaced only with `replace`. Says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::NotOpened`] for a credential that does not open, and what
    /// [`Store::prepare`] has.
    pub fn backup(&self, file: &Path, lock: &BackupLock, replace: bool) -> Result<usize, StoreError> {
        self.audited(Action::Backup, self.try_to_back_up(file, lock, replace))
    }

    fn try_to_back_up(&self, file: &Path, lock: &BackupLock, replace: bool) -> Result<usize, StoreError> {
        age_file::may_write(file, replace)?;
        self.copy_before_restore(file)?;
        let Snapshot { records, is_listed, .. } = self.snapshot()?;
        if !is_listed {
            return Err(StoreError::LedgerAltered { path: self.place() });
        }
        let kept = records.into_iter().collect::<Result<Vec<_>, _>>()?;
        age_file::write(file, lock, replace, |to| content::write(to, &kept))?;
        // It is written, whether or not that can be recorded.
        let _ = self.audit_store(Action::Backup, super::Outcome::Ok);
        Ok(kept.len())
    }

    /// A backup takes the place of nothing that the store needs.
    fn copy_before_restore(&self, file: &Path) -> Result<(), StoreError> {
        let Some(ours) = self.path().and_then(Path::parent) else { return Ok(()) };
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is = |a: &Path, b: &Path| match (std::fs::metadata(a), std::fs::metadata(b)) {
            (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
            _ => false,
        };
        if is(parent, ours) && file.extension().is_none_or(|extension| extension != "age") {
            return Err(BackupError::usage(
                file,
                "is in the store's own directory, where a backup ends in .age",
            ));
        }
        if self.key_state()?.is_some_and(|key| is(file, Path::new(&key.place))) {
            return Err(BackupError::usage(file, "holds the store's key: name another file"));
        }
        Ok(())
    }

    /// All credentials as they are at one moment.
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        for _ in 0..ATTEMPTS {
            self.key(PromptPolicy::Allowed)?;
            let reading = self.connection.unchecked_transaction().map_err(|e| self.failed(e))?;
            if let Some(key) = self.key_at_hand(&reading).map_err(|e| self.failed(e))? {
                return self.records(&reading, &key);
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    fn records(&self, reading: &Connection, key: &DataKey) -> Result<Snapshot, StoreError> {
        let failed = |source| self.failed(source);
        let ledger = match Ledger::read(reading, key).map_err(|e| self.ledger_failed(e)) {
            Err(StoreError::LedgerAltered { .. }) => None,
            ledger => Some(ledger?),
        };
        let mut is_listed = ledger.is_some();
        let mut read =
            reading.prepare(&format!("SELECT {COLUMNS}, secret FROM credential")).map_err(failed)?;
        let mut rows = read.query([]).map_err(failed)?;
        let mut exchanges: HashMap<_, _> = of_all(reading).map_err(failed)?.into_iter().collect();
        let mut kept = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let listed = ledger.as_ref().map(|ledger| self.record_of(row, key, ledger)).transpose();
            let record = match listed.map_err(failed)? {
                None | Some(Err(StoreError::LedgerAltered { .. })) => {
                    is_listed = false;
                    Err(self.unlisted(row).map_err(failed)?)
                }
                Some(record) => record,
            };
            kept.push(record.map(|record| {
                let exchange = exchanges.remove(&record.address);
                BackupEntry { record, exchange }
            }));
        }
        let as_of = clock(reading).map_err(failed)?;
        Ok(Snapshot { records: kept, is_listed, as_of })
    }

    fn unlisted(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<StoreError> {
        let why = "the ledger was altered, so whether it is the current one is not known";
        Ok(match summary(row)? {
            Ok(Summary { address, .. }) => StoreError::NotOpened { path: self.place(), address, why },
            Err(row) => StoreError::Unreadable(Box::new(self.here(row))),
        })
    }
}
