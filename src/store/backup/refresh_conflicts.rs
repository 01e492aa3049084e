//! Which refresh tokens of a backup must not be sent: those that were exchanged, or may have been, after it was made.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::BackupEntry;
use crate::{
    credential::{Address, Credential},
    store::{
        record::row::{name, time},
        refresh_state::attempt::{AttemptState, RefreshAttempt, of_all, record_since},
    },
};

/// Who marks.
const US: &str = "a restore";
const WHY: &str = "the backup is older than the login that it replaced";

const STORED: &str = "SELECT provider, credential_set, profile, updated_at FROM credential";

/// What is known here of the logins that a backup replaces.
pub(super) struct ReplacedLogins {
    stored: HashMap<Address, Timestamp>,
    exchanges: HashMap<Address, RefreshAttempt>,
}

impl ReplacedLogins {
    /// Reads it, before it is replaced.
    pub(super) fn read(change: &Connection) -> rusqlite::Result<Self> {
        let mut statement = change.prepare(STORED)?;
        let mut rows = statement.query([])?;
        let mut stored = HashMap::new();
        while let Some(row) = rows.next()? {
            // What is at no address is replaced by nothing; of what nobody knows the time, no token is sent.
            if let (Ok(provider), Ok(set), Ok(profile)) = (name(row, 0), name(row, 1), name(row, 2)) {
                let at = time(row.get(3)?).unwrap_or_else(|_| Timestamp::now());
                stored.insert(Address { set, provider, profile }, at);
            }
        }
        Ok(Self { stored, exchanges: of_all(change)?.into_iter().collect() })
    }

    /// Records of a restored login, now in this version, what is known of its refresh token: here, and where the backup was
    /// made.
    pub(super) fn mark_conflict(
        &self,
        change: &Connection,
        restored: &BackupEntry,
        version: i64,
    ) -> rusqlite::Result<()> {
        let BackupEntry { record, exchange: theirs } = restored;
        let Credential::OAuth(_) = &record.credential else { return Ok(()) };
        let (address, at) = (&record.address, record.updated_at);
        let stored = self.stored.get(address).copied();
        let ours = self.exchanges.get(address);
        // One that a restore has marked says since when there had been a newer one.
        let marked = |exchange: Option<&RefreshAttempt>| {
            exchange.filter(|exchange| exchange.holder == US).map(|exchange| exchange.since)
        };
        let newest = [marked(ours).or(stored), marked(theirs.as_ref())].into_iter().flatten().max();
        if let Some(newest) = newest.filter(|newest| *newest > at) {
            return record_since(change, address, version, AttemptState::Unknown, US, newest, Some(WHY));
        }
        // Of the same login we know more, unless we had it from a backup that knew nothing.
        let known = ours.filter(|_| stored == Some(at)).or(theirs.as_ref());
        match known {
            Some(RefreshAttempt { state, holder, since, why, .. }) => {
                record_since(change, address, version, *state, holder, *since, why.as_deref())
            }
            None => Ok(()),
        }
    }
}
