//! The last attempt to refresh a credential.
//!
//! A refresh token may work only once, so an attempt is recorded before the token is sent.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use super::{CURRENT, ensure_row, is_current};
use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        db::change::{AT, key},
        record::row::{Millis, address},
    },
};

/// The attempt to exchange the refresh token of one version of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshAttempt {
    /// The credential's version. A backup does not have it.
    #[serde(skip)]
    pub version: i64,
    /// The state of the attempt.
    pub state: AttemptState,
    /// The process that made the attempt, for people; or the words `a restore`.
    pub holder: String,
    /// The time of the last change of state, to the millisecond.
    pub since: Timestamp,
    /// The reason why the token was rejected, or why the outcome is unknown.
    pub why: Option<String>,
}

/// The state of a refresh attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// The token was sent, and the answer is awaited or its holder died.
    InFlight,
    /// The vendor has rejected the token for good.
    Rejected,
    /// Nobody knows whether the vendor consumed the token.
    Unknown,
}

/// The result of [`Store::begin_attempt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// The attempt is recorded, in place of this earlier one: the token may be sent.
    Started(Option<RefreshAttempt>),
    /// The credential no longer has that version.
    Changed,
    /// An attempt for that version is recorded already.
    AlreadyRecorded(RefreshAttempt),
}

/// The holder of an attempt that no process made: a restore recorded it, so that the refresh token of an old backup is not
/// sent. Databases and backups hold this text, so it must never change.
const RESTORE: &str = "a restore";

const COLUMNS: &str = "provider, credential_set, profile, version, state, holder, since, x.why";

impl Store {
    /// Records that the refresh token of this version is about to be sent, synced to the disk.
    ///
    /// Records nothing if the credential has changed, or if an attempt for the version is recorded and `again` is
    /// not set. The caller must hold the refresh lock: so the holder of an attempt in flight is dead, and its outcome
    /// unknown.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn begin_attempt(
        &mut self,
        address: &Address,
        version: i64,
        holder: &str,
        again: bool,
    ) -> Result<BeginOutcome, StoreError> {
        // The vendor's answer can only be stored with the key, which may have to be asked for: so get it now.
        self.change_with_key(|change, _| {
            if !is_current(change, address, version)? {
                return Ok(BeginOutcome::Changed);
            }
            match end_interrupted(change, address)? {
                Some(before) if !again => Ok(BeginOutcome::AlreadyRecorded(before)),
                before => {
                    let attempt = RefreshAttempt::now(version, AttemptState::InFlight, holder, None);
                    record(change, address, &attempt)?;
                    Ok(BeginOutcome::Started(before))
                }
            }
        })
    }

    /// Records that the outcome of an attempt in flight is unknown. The caller must hold the refresh lock, so that its
    /// holder is dead.
    pub(crate) fn end_interrupted_attempt(&mut self, address: &Address) -> Result<(), StoreError> {
        self.change(|change| Ok(end_interrupted(change, address).map(drop)?))
    }

    /// Records how an attempt ended, unless the credential has changed.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn end_attempt(
        &mut self,
        address: &Address,
        version: i64,
        state: AttemptState,
        holder: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        self.restore_attempt(address, &RefreshAttempt::now(version, state, holder, Some(why)))
    }

    /// Restores the attempt that was recorded before one that certainly did not happen, unless the credential has
    /// changed.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn restore_attempt(&mut self, address: &Address, before: &RefreshAttempt) -> Result<(), StoreError> {
        self.change_if_current(address, before.version, |change| record(change, address, before))
    }

    /// Removes an attempt that certainly did not happen, unless the credential has changed.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn remove_attempt(&mut self, address: &Address, version: i64) -> Result<(), StoreError> {
        let sql = format!("UPDATE exchange SET state = NULL WHERE {AT}");
        self.change_if_current(address, version, |change| change.execute(&sql, key(address)).map(drop))
    }

    /// Returns the attempt for the present version, `None` if its refresh token was never sent.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn attempt(&self, address: &Address) -> Result<Option<RefreshAttempt>, StoreError> {
        self.with_path(read(&self.connection, address))
    }

    /// Returns the attempts of all credentials in their present version.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn attempts(&self) -> Result<Vec<(Address, RefreshAttempt)>, StoreError> {
        self.with_path(read_all(&self.connection))
    }

    /// Refuses a change to the whole store while a refresh is in flight.
    pub(in crate::store) fn refuse_while_in_flight(&self, change: &Connection) -> Result<(), StoreError> {
        let attempts = self.with_path(read_all(change))?;
        match attempts.into_iter().find(|(_, attempt)| attempt.state == AttemptState::InFlight) {
            Some((address, _)) => Err(StoreError::RefreshInFlight { address: Box::new(address) }),
            None => Ok(()),
        }
    }
}

impl RefreshAttempt {
    /// Returns the attempt for a login from a backup that replaced a newer login, which has this age.
    pub(in crate::store) fn by_restore(version: i64, since: Timestamp) -> Self {
        let why = Some("the backup is older than the login that it replaced".to_owned());
        Self { version, state: AttemptState::Unknown, holder: RESTORE.to_owned(), since, why }
    }

    /// Returns whether a restore recorded it.
    pub(crate) fn is_by_restore(&self) -> bool {
        self.holder == RESTORE
    }

    /// Returns the reason why the outcome of an attempt is unknown whose holder is dead.
    pub(crate) fn interrupted(&self) -> String {
        format!("{} ended before the vendor's answer was stored", self.holder)
    }

    pub(in crate::store) fn now(version: i64, state: AttemptState, holder: &str, why: Option<&str>) -> Self {
        let why = why.map(str::to_owned);
        Self { version, state, holder: holder.to_owned(), since: crate::clock::now(), why }
    }
}

fn read(connection: &Connection, address: &Address) -> rusqlite::Result<Option<RefreshAttempt>> {
    let sql = format!("SELECT {COLUMNS} FROM {CURRENT} WHERE {AT} AND state NOT NULL");
    connection.prepare_cached(&sql)?.query_row(key(address), attempt).optional()
}

/// Ends an attempt in flight, whose holder is dead. Returns the last attempt.
fn end_interrupted(change: &Connection, address: &Address) -> rusqlite::Result<Option<RefreshAttempt>> {
    let is_in_flight = |attempt: &RefreshAttempt| attempt.state == AttemptState::InFlight;
    if let Some(attempt) = read(change, address)?.filter(is_in_flight) {
        let (why, RefreshAttempt { version, holder, .. }) = (attempt.interrupted(), &attempt);
        record(change, address, &RefreshAttempt::now(*version, AttemptState::Unknown, holder, Some(&why)))?;
    }
    read(change, address)
}

/// Reads all attempts. Rows whose address is not valid belong to no credential, and are skipped.
pub(in crate::store) fn read_all(
    connection: &Connection,
) -> rusqlite::Result<Vec<(Address, RefreshAttempt)>> {
    let sql = format!("SELECT {COLUMNS} FROM {CURRENT} WHERE state NOT NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| match address(row) {
        Ok(address) => Ok(Some((address, attempt(row)?))),
        Err(_) => Ok(None),
    })?;
    rows.filter_map(Result::transpose).collect()
}

pub(in crate::store) fn record(
    change: &Connection,
    address: &Address,
    attempt: &RefreshAttempt,
) -> rusqlite::Result<()> {
    let RefreshAttempt { version, state, holder, since, why } = attempt;
    let [provider, set, profile] = key(address);
    let state = match state {
        AttemptState::InFlight => "sent",
        AttemptState::Rejected => "refused",
        AttemptState::Unknown => "unknown",
    };
    ensure_row(change, address, *version)?;
    let sql = format!("UPDATE exchange SET state = ?, holder = ?, since = ?, why = ? WHERE {AT}");
    let row = (state, holder, since.as_millisecond(), why, provider, set, profile);
    change.execute(&sql, row).map(drop)
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<RefreshAttempt> {
    let state = match row.get_ref(4)?.as_str() {
        Ok("sent") => AttemptState::InFlight,
        Ok("refused") => AttemptState::Rejected,
        _ => AttemptState::Unknown,
    };
    let (holder, why) = (row.get(5).unwrap_or_default(), row.get(7).unwrap_or_default());
    let attempt = RefreshAttempt { version: row.get(3)?, state, holder, since: crate::clock::now(), why };
    Ok(match row.get(6) {
        Ok(Millis(since)) => RefreshAttempt { since, ..attempt },
        // An unreadable record is no reason to send a token.
        Err(_) => {
            let why = Some("the record of the attempt is damaged".to_owned());
            RefreshAttempt { state: AttemptState::Unknown, why, ..attempt }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{Credential, Metadata};

    fn stored() -> (Store, Address, i64) {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let record = store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored");
        (store, address, record.version)
    }

    #[test]
    fn refresh_token_with_a_recorded_attempt_is_not_sent_again() {
        let (mut store, address, version) = stored();
        assert_eq!(
            store.begin_attempt(&address, version, "me", false).expect("begun"),
            BeginOutcome::Started(None)
        );
        let BeginOutcome::AlreadyRecorded(before) =
            store.begin_attempt(&address, version, "you", false).expect("begun")
        else {
            panic!("twice");
        };
        assert_eq!((before.state, before.holder.as_str()), (AttemptState::Unknown, "me"));
        assert_eq!(store.attempts().expect("all"), [(address.clone(), before.clone())]);
        assert_eq!(
            store.begin_attempt(&address, version, "you", true).expect("begun"),
            BeginOutcome::Started(Some(before))
        );
    }

    #[test]
    fn attempt_of_a_replaced_credential_is_void() {
        let (mut store, address, version) = stored();
        store.begin_attempt(&address, version, "me", false).expect("begun");
        store.end_attempt(&address, version, AttemptState::Rejected, "me", "invalid_grant").expect("ended");
        let refused = store.attempt(&address).expect("read").expect("recorded");
        assert_eq!((refused.state, refused.why.as_deref()), (AttemptState::Rejected, Some("invalid_grant")));
        let next = store.put(&address, &Credential::api_key("two"), &Metadata::default()).expect("stored");
        assert_eq!(store.attempt(&address).expect("read"), None);
        assert_eq!(
            store.begin_attempt(&address, version, "me", false).expect("moved"),
            BeginOutcome::Changed
        );
        store.end_attempt(&address, version, AttemptState::Rejected, "me", "late").expect("ignored");
        assert_eq!(store.attempt(&address).expect("read"), None, "an outdated version changes nothing");
        assert_eq!(
            store.begin_attempt(&address, next.version, "me", false).expect("begun"),
            BeginOutcome::Started(None)
        );
        let begun = store.attempt(&address).expect("read");
        store.end_attempt(&address, version, AttemptState::Rejected, "me", "late").expect("ignored");
        store.remove_attempt(&address, version).expect("ignored");
        assert_eq!(store.attempt(&address).expect("read"), begun, "nor does it change a newer attempt");
        store.remove_attempt(&address, next.version).expect("forgotten");
        assert_eq!(store.attempt(&address).expect("read"), None);
    }

    #[test]
    fn restored_attempt_is_the_one_from_before() {
        let (mut store, address, version) = stored();
        store.begin_attempt(&address, version, "me", false).expect("begun");
        store.end_attempt(&address, version, AttemptState::Unknown, "me", "no answer").expect("ended");
        let long_ago = Timestamp::from_second(1_700_000_000).expect("a time");
        let before =
            RefreshAttempt { since: long_ago, ..store.attempt(&address).expect("read").expect("recorded") };
        store.restore_attempt(&address, &before).expect("put back");
        store.begin_attempt(&address, version, "you", true).expect("begun");
        store.restore_attempt(&address, &before).expect("put back");
        assert_eq!(store.attempt(&address).expect("read"), Some(before.clone()));
        store.put(&address, &Credential::api_key("two"), &Metadata::default()).expect("stored");
        store.restore_attempt(&address, &before).expect("ignored");
        assert_eq!(store.attempt(&address).expect("read"), None, "the credential was replaced");
    }

    #[test]
    fn unreadable_attempt_counts_as_unknown() {
        let (mut store, address, version) = stored();
        store.begin_attempt(&address, version, "me", false).expect("begun");
        store.connection.execute("UPDATE exchange SET since = 9223372036854775807", []).expect("altered");
        let known = store.attempt(&address).expect("read").expect("recorded");
        assert_eq!(known.state, AttemptState::Unknown);
        assert_eq!(store.attempts().expect("all").len(), 1);
        let begun = store.begin_attempt(&address, version, "you", false).expect("begun");
        assert!(matches!(begun, BeginOutcome::AlreadyRecorded(_)), "{begun:?}");
    }

    #[test]
    fn attempt_is_removed_with_its_credential() {
        let (mut store, address, version) = stored();
        store.begin_attempt(&address, version, "me", false).expect("begun");
        store.remove(&address).expect("removed");
        assert_eq!(store.attempts().expect("all"), []);
    }
}
