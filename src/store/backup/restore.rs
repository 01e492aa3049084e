//! Restoring: the whole backup is checked before anything is replaced, and replaced in one transaction.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    BackupEntry, BackupUnlock, Snapshot, age_file, clock, content, copies, refresh_conflicts::ReplacedLogins,
};
use crate::{
    credential::{Address, Record},
    store::{
        Action, Store, StoreError,
        crypto::{ledger::Ledger, seal},
        db::change::NEXT_VERSION,
        key::{ATTEMPTS, DataKey, PromptPolicy},
        record::row::insert,
    },
};

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// How many credentials.
    pub credentials: usize,
    /// Where what was there before is, sealed as the backup is; `None` when there was nothing.
    pub before: Option<PathBuf>,
    /// What was there before and is not in that: it did not open, or could not be read. In words for people.
    pub lost: Vec<String>,
}

/// What was kept of what is there.
struct Copied {
    before: Option<PathBuf>,
    lost: Vec<String>,
    as_of: i64,
}

impl Store {
    /// Replaces all credentials by those of a backup. What was there is kept beside the database, in a backup that
    /// opens as this one does; of such copies the newest three stay.
    ///
    /// Renewals that are under way are waited for by [`lifecycle::undisturbed::restore`](crate::refresh::maintenance::restore).
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::RefreshInFlight`] while a token is under way, and what [`Store::backup`] has. Whatever it is, nothing was replaced.
    pub fn restore(&self, file: &Path, unlock: &BackupUnlock) -> Result<Restored, StoreError> {
        self.audited(Action::Restore, self.try_to_restore(file, unlock))
    }

    pub(crate) fn try_to_restore(&self, file: &Path, unlock: &BackupUnlock) -> Result<Restored, StoreError> {
        let bytes = age_file::read(file, unlock)?;
        let kept = content::read(&bytes).map_err(|why| super::BackupError::bad(file, why))?;
        drop(bytes);
        self.key(PromptPolicy::Allowed)?;
        for _ in 0..ATTEMPTS {
            let Copied { before, lost, as_of } = self.keep_a_copy(file, unlock)?;
            let replaced = self.replace(&kept, Some(as_of));
            if let (Some(copy), Ok(true)) = (&before, &replaced) {
                copies::thin_out(copy, file);
            } else if let Some(copy) = &before {
                let _ = std::fs::remove_file(copy);
            }
            if replaced? {
                return Ok(Restored { credentials: kept.len(), before, lost });
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    /// Stores credentials in place of all that are there, in one transaction. A refresh token that was exchanged here
    /// after its record was made, or may have been, is marked, so that it is not sent again.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn replace_all(&self, records: &[Record]) -> Result<(), StoreError> {
        let kept: Vec<_> =
            records.iter().map(|record| BackupEntry { record: record.clone(), exchange: None }).collect();
        self.replace(&kept, None).map(drop)
    }

    /// False when what is there is not what was there as of this version any more: then nothing is replaced.
    fn replace(&self, kept: &[BackupEntry], as_of: Option<i64>) -> Result<bool, StoreError> {
        let failed = |source| self.failed(source);
        let (change, key) = self.begin_with_key()?;
        if let Some(as_of) = as_of
            && clock(&change).map_err(failed)? != as_of
        {
            return Ok(false);
        }
        self.refuse_while_in_flight(&change)?;
        let known = ReplacedLogins::read(&change).map_err(failed)?;
        change.execute("DELETE FROM credential", []).map_err(failed)?;
        let current = self.insert_all(&change, &key, kept)?;
        for (kept, (_, version)) in kept.iter().zip(&current) {
            known.mark_conflict(&change, kept, *version).map_err(failed)?;
        }
        let listed = current.iter().map(|(address, version)| (*address, *version));
        Ledger::write_all(&change, &key, listed).map_err(|e| self.ledger_failed(e))?;
        self.record(&change, Action::Restore, None).map_err(failed)?;
        change.commit().map_err(failed)?;
        self.tidy_up_on_close()?;
        let _ = self.erase();
        Ok(true)
    }

    fn insert_all<'a>(
        &self,
        change: &Connection,
        key: &DataKey,
        kept: &'a [BackupEntry],
    ) -> Result<Vec<(&'a Address, i64)>, StoreError> {
        let failed = |source| self.failed(source);
        let mut next = change.prepare(NEXT_VERSION).map_err(failed)?;
        let mut current = Vec::with_capacity(kept.len());
        for BackupEntry { record, .. } in kept {
            let version: i64 = next.query_row([], |row| row.get(0)).map_err(failed)?;
            let secret = seal::seal(&key.key, &record.address, version, &record.credential)?;
            insert(change, &Record { version, ..record.clone() }, &secret).map_err(failed)?;
            current.push((&record.address, version));
        }
        Ok(current)
    }

    /// Keeps what is there, unless there is nothing. What cannot be kept is said: a restore is the way out for that, too.
    fn keep_a_copy(&self, file: &Path, unlock: &BackupUnlock) -> Result<Copied, StoreError> {
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        let Snapshot { records, as_of, .. } = self.snapshot()?;
        for record in records {
            match record {
                Ok(record) => kept.push(record),
                Err(error) => lost.push(error.to_string()),
            }
        }
        let Some(directory) = self.path().and_then(Path::parent).filter(|_| !kept.is_empty()) else {
            return Ok(Copied { before: None, lost, as_of });
        };
        age_file::private(directory)?;
        let recipients = age_file::recipients(file, unlock)?;
        let copy = directory.join(copies::name(Timestamp::now()));
        age_file::write_for(&copy, &recipients, false, |to| content::write(to, &kept))?;
        Ok(Copied { before: Some(copy), lost, as_of })
    }
}
