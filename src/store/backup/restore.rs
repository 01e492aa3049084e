//! Restoring a backup: all of it is checked before anything is replaced, in one transaction.

use std::path::{Path, PathBuf};

use super::{BackupEntry, BackupUnlock, age_file, content, copies, refresh_conflicts::ReplacedLogins};
use crate::{
    credential::Record,
    store::{
        Action, Store, StoreError,
        crypto::seal,
        db::{
            change::{NEXT_VERSION, clock},
            permissions,
        },
        key::PromptPolicy,
        record::row::write,
    },
};
/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The number of restored credentials.
    pub credentials: usize,
    /// The copy of the replaced credentials, sealed as the backup is; `None` if there were none.
    pub before: Option<PathBuf>,
    /// The replaced credentials that are not in the copy, because they did not open or could not be read, in words for people.
    pub lost: Vec<String>,
}

impl Store {
    /// Replaces all credentials by those of a backup.
    ///
    /// The replaced ones are kept beside the database, in a backup that opens as this one does. The newest three of these
    /// copies stay. [`restore`](crate::refresh::maintenance::restore) waits for refreshes that are in flight.
    ///
    /// # Errors
    /// [`StoreError::Backup`], [`StoreError::RefreshInFlight`] while a refresh is in flight, and the errors of
    /// [`Store::backup`]. After any of them, nothing was replaced.
    pub fn restore(&self, file: &Path, unlock: &BackupUnlock) -> Result<Restored, StoreError> {
        self.audited(Action::Restore, self.try_to_restore(file, unlock))
    }

    pub(crate) fn try_to_restore(&self, file: &Path, unlock: &BackupUnlock) -> Result<Restored, StoreError> {
        let bytes = age_file::read(file, unlock)?;
        let kept = content::read(&bytes).map_err(|why| StoreError::backup(file, why))?;
        drop(bytes);
        self.key(PromptPolicy::Allowed)?;
        self.retry(|| {
            let as_of = self.with_path(clock(&self.connection))?;
            let (mut present, mut lost) = (Vec::new(), Vec::new());
            // Those that cannot be read are reported and not copied, because a restore is how to recover from them.
            for record in self.snapshot()? {
                match record {
                    Ok(record) => present.push(record),
                    Err(error) => lost.push(error.to_string()),
                }
            }
            let before = self.copy(&present, file, unlock)?;
            let replaced = self.replace(&kept, Some(as_of));
            match (&before, &replaced) {
                (Some(copy), Ok(true)) => copies::thin_out(copy, file),
                (Some(copy), _) => drop(std::fs::remove_file(copy)),
                (None, _) => {}
            }
            Ok(replaced?.then_some(Restored { credentials: kept.len(), before, lost }))
        })
    }

    /// Replaces all credentials by these, in one transaction. A refresh token that was sent from here after its record was
    /// made is marked, so that it is not sent again.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn replace_all(&self, records: &[Record]) -> Result<(), StoreError> {
        let kept: Vec<_> =
            records.iter().map(|record| BackupEntry { record: record.clone(), attempt: None }).collect();
        self.replace(&kept, None).map(drop)
    }

    /// Returns false, and replaces nothing, if a credential has changed since `as_of`.
    fn replace(&self, entries: &[BackupEntry], as_of: Option<i64>) -> Result<bool, StoreError> {
        let replaced = self.change_with_key(|change, key| {
            if as_of.is_some() && as_of != Some(clock(change)?) {
                return Ok(false);
            }
            self.refuse_while_in_flight(change)?;
            let replaced = ReplacedLogins::read(change)?;
            change.execute("DELETE FROM credential", [])?;
            let mut next = change.prepare(NEXT_VERSION)?;
            for entry in entries {
                let version: i64 = next.query_row([], |row| row.get(0))?;
                let record = Record { version, ..entry.record.clone() };
                let secret = seal::seal(&key.key, &record.address, version, &record.credential.encode())?;
                write(change, &record, &secret)?;
                replaced.mark_conflict(change, entry, version)?;
            }
            self.record(change, Action::Restore, None)?;
            Ok(true)
        })?;
        let _ = self.erase();
        Ok(replaced)
    }

    /// Copies the present credentials, if there are any, to a backup that opens as this one does.
    fn copy(
        &self,
        present: &[BackupEntry],
        file: &Path,
        unlock: &BackupUnlock,
    ) -> Result<Option<PathBuf>, StoreError> {
        let Some(directory) = self.data_dir().filter(|_| !present.is_empty()) else { return Ok(None) };
        permissions::directory(directory)?;
        let recipients = age_file::recipients(file, unlock)?;
        let copy = directory.join(copies::name(crate::clock::now()));
        age_file::write(&copy, &recipients, false, |to| content::write(to, present))?;
        Ok(Some(copy))
    }
}
