//! Backups: all credentials in one file in the age format (age-encryption.org/v1), sealed with a passphrase or for
//! recipients. The content is JSON, see `content`.

mod age_file;
mod content;
mod copies;
mod refresh_conflicts;
mod restore;

use std::{collections::HashMap, path::Path};

pub use self::{
    age_file::{BackupLock, BackupUnlock, may_write as may_write_backup, needs_passphrase},
    restore::Restored,
};
use super::{
    Action, RefreshAttempt, Store, StoreError, db::permissions::is_same, error::Fault,
    record::row::WITH_SECRET, refresh_state::attempt::read_all,
};
use crate::credential::Record;

/// A credential in a backup.
struct BackupEntry {
    record: Record,
    /// The last attempt to refresh it.
    attempt: Option<RefreshAttempt>,
}

impl Store {
    /// Writes all credentials, as of one moment, to a new file of mode 0600, in one step. Returns their number.
    ///
    /// An existing file is replaced only with `replace`.
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::BackupExists`], [`StoreError::NotOpened`] for a credential that does not open,
    /// and the errors of [`Store::prepare`].
    pub fn backup(&self, file: &Path, lock: &BackupLock, replace: bool) -> Result<usize, StoreError> {
        self.audited(Action::Backup, self.try_to_back_up(file, lock, replace))
    }

    fn try_to_back_up(&self, file: &Path, lock: &BackupLock, replace: bool) -> Result<usize, StoreError> {
        age_file::may_write(file, replace)?;
        self.refuse_file_of_store(file)?;
        let kept = self.snapshot()?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let recipients = age_file::new_recipients(file, lock)?;
        age_file::write(file, &recipients, replace, |to| content::write(to, &kept))?;
        // The backup is written, whether that can be recorded or not.
        let _ = self.audit_store(Action::Backup, super::Outcome::Ok);
        Ok(kept.len())
    }

    /// Refuses to write a backup over a file that the store needs.
    fn refuse_file_of_store(&self, file: &Path) -> Result<(), StoreError> {
        let Some(ours) = self.data_dir() else { return Ok(()) };
        if is_same(age_file::parent(file), ours)
            && file.extension().is_none_or(|extension| extension != "age")
        {
            return Err(StoreError::backup(
                file,
                "is in the store's own directory, where a backup ends in .age",
            ));
        }
        if self.key_state()?.is_some_and(|key| is_same(file, Path::new(&key.place))) {
            return Err(StoreError::backup(file, "holds the store's key: name another file"));
        }
        Ok(())
    }

    /// Reads all credentials as of one moment, with an error for each that does not open or cannot be read.
    fn snapshot(&self) -> Result<Vec<Result<BackupEntry, StoreError>>, StoreError> {
        self.read_with_key(|reading, key| {
            let mut attempts: HashMap<_, _> = read_all(reading)?.into_iter().collect();
            let mut read = reading.prepare(WITH_SECRET)?;
            let mut rows = read.query([])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(match self.record_of(row, key) {
                    Ok(record) => Ok(BackupEntry { attempt: attempts.remove(&record.address), record }),
                    Err(Fault::Store(error)) => Err(error),
                    Err(fault) => return Err(fault),
                });
            }
            Ok(records)
        })
    }
}
