//! Marking the refresh tokens of a backup that must not be sent: those that were exchanged, or may have been, after it was
//! made.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::BackupEntry;
use crate::{
    credential::{Address, Credential},
    store::{
        record::row::{Millis, address},
        refresh_state::attempt::{RefreshAttempt, read_all, record},
    },
};

const STORED: &str = "SELECT provider, credential_set, profile, updated_at FROM credential";

/// The logins that a backup replaces.
pub(super) struct ReplacedLogins {
    stored: HashMap<Address, Timestamp>,
    attempts: HashMap<Address, RefreshAttempt>,
}

impl ReplacedLogins {
    /// Reads them. Call this before they are replaced.
    pub(super) fn read(change: &Connection) -> rusqlite::Result<Self> {
        let mut statement = change.prepare(STORED)?;
        // A row without a valid address is replaced by none. A login of unknown age counts as newer.
        let age = |row: &Row<'_>| row.get(3).map_or_else(|_| crate::clock::now(), |Millis(at)| at);
        let login = |row: &Row<'_>| Ok(address(row).ok().map(|address| (address, age(row))));
        let stored = statement.query_map([], login)?.filter_map(Result::transpose);
        Ok(Self {
            stored: stored.collect::<rusqlite::Result<_>>()?,
            attempts: read_all(change)?.into_iter().collect(),
        })
    }

    /// Records what is known of the refresh token of a restored login, which now has this version: here, and where the backup
    /// was made.
    pub(super) fn mark_conflict(
        &self,
        change: &Connection,
        restored: &BackupEntry,
        version: i64,
    ) -> rusqlite::Result<()> {
        let BackupEntry { record: login, attempt: theirs } = restored;
        let Credential::OAuth(_) = &login.credential else { return Ok(()) };
        let (address, at) = (&login.address, login.updated_at);
        let stored = self.stored.get(address).copied();
        let ours = self.attempts.get(address);
        // The attempt that a restore has recorded has the age of the newer login.
        let marked = |attempt: Option<&RefreshAttempt>| {
            attempt.filter(|attempt| attempt.is_by_restore()).map(|attempt| attempt.since)
        };
        let newest = [marked(ours).or(stored), marked(theirs.as_ref())].into_iter().flatten().max();
        if let Some(since) = newest.filter(|newest| *newest > at) {
            return record(change, address, &RefreshAttempt::by_restore(version, since));
        }
        // We know more of the same login, unless it came from a backup that knew nothing.
        match ours.filter(|_| stored == Some(at)).or(theirs.as_ref()) {
            Some(known) => record(change, address, &RefreshAttempt { version, ..known.clone() }),
            None => Ok(()),
        }
    }
}
