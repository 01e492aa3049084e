//! How the exchange of a credential's refresh token stands.
//!
//! A refresh token may be good for one exchange only, so that one is recorded before it is sent. What is recorded
//! counts for the version of the credential that holds the token: whatever is stored next makes it void.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, named_params};
use serde::{Deserialize, Serialize};

use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        db::change::key,
        record::row::{name, time},
    },
};

/// How the exchange of one version's refresh token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshAttempt {
    /// The credential's version.
    pub version: i64,
    /// How far it is.
    pub state: AttemptState,
    /// Who made it: a process and a program, for people.
    pub holder: String,
    /// Since when it is in this state, to the millisecond.
    pub since: Timestamp,
    /// Why it was refused, or is not known.
    pub why: Option<String>,
}

/// How far an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// The token is on its way, or its holder died.
    InFlight,
    /// The vendor has refused it for good.
    Rejected,
    /// Nobody knows whether the vendor took the token.
    Unknown,
}

impl AttemptState {
    fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "sent",
            Self::Rejected => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of beginning an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// It is recorded: the token may be sent.
    Started,
    /// The credential is not there in that version any more.
    Changed,
    /// An exchange of that version is recorded already.
    AlreadyRecorded(RefreshAttempt),
}

const CURRENT: &str =
    "SELECT version FROM credential WHERE provider = ? AND credential_set = ? AND profile = ?";

const COLUMNS: &str = "x.version, x.state, x.holder, x.since, x.why";

/// Only what counts for the present version.
const JOINED: &str = "exchange x JOIN credential c USING (provider, credential_set, profile, version)";

const RECORD: &str = "
INSERT INTO exchange (provider, credential_set, profile, version, state, holder, since, why)
VALUES (:provider, :set, :profile, :version, :state, :holder, :since, :why)
ON CONFLICT DO UPDATE SET
    version = excluded.version, state = excluded.state, holder = excluded.holder, since = excluded.since,
    why = excluded.why";

impl Store {
    /// Records that the refresh token of this version is about to be sent, on the disk when this returns. Does nothing
    /// if the credential has moved on or if an exchange of the version is recorded, unless `again`.
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
        let path = self.place();
        let failed = |source| StoreError::from_sqlite(path.clone(), source);
        // What the vendor answers can only be stored with the key as it is by now, which may have to be asked for.
        let (change, _) = self.begin_with_key()?;
        let current: Option<i64> =
            change.query_row(CURRENT, key(address), |row| row.get(0)).optional().map_err(failed)?;
        if current != Some(version) {
            return Ok(BeginOutcome::Changed);
        }
        let before = change.query_row(&of_one(), key(address), exchange).optional().map_err(failed)?;
        if let Some(before) = before.filter(|_| !again) {
            return Ok(BeginOutcome::AlreadyRecorded(before));
        }
        record(&change, address, version, AttemptState::InFlight, holder, None).map_err(failed)?;
        change.commit().map_err(failed)?;
        Ok(BeginOutcome::Started)
    }

    /// Records how an exchange ended, unless the credential has moved on.
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
        self.change_if_current(address, version, |change| {
            record(change, address, version, state, holder, Some(why))
        })
    }

    /// Puts back what was known before an exchange that certainly did not happen, unless the credential has moved on.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn restore_attempt(&mut self, address: &Address, before: &RefreshAttempt) -> Result<(), StoreError> {
        let RefreshAttempt { version, state, holder, since, why } = before;
        self.change_if_current(address, *version, |change| {
            record_since(change, address, *version, *state, holder, *since, why.as_deref())
        })
    }

    /// Forgets an exchange that certainly did not happen, unless the credential has moved on.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn remove_attempt(&mut self, address: &Address, version: i64) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM exchange WHERE provider = ? AND credential_set = ? AND profile = ?";
        self.change_if_current(address, version, |change| change.execute(FORGET, key(address)).map(drop))
    }

    /// A change to what is known of a credential, unless it has moved on.
    pub(in crate::store) fn change_if_current(
        &mut self,
        address: &Address,
        version: i64,
        how: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let path = self.place();
        let failed = |source| StoreError::from_sqlite(path.clone(), source);
        let change = self.begin()?;
        let current: Option<i64> =
            change.query_row(CURRENT, key(address), |row| row.get(0)).optional().map_err(failed)?;
        if current == Some(version) {
            how(&change).map_err(failed)?;
            change.commit().map_err(failed)?;
        }
        Ok(())
    }

    /// How the exchange of the present version's refresh token stands. `None`: it was never sent.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn attempt(&self, address: &Address) -> Result<Option<RefreshAttempt>, StoreError> {
        let found =
            || self.connection.prepare_cached(&of_one())?.query_row(key(address), exchange).optional();
        found().map_err(|e| self.failed(e))
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn attempts(&self) -> Result<Vec<(Address, RefreshAttempt)>, StoreError> {
        of_all(&self.connection).map_err(|e| self.failed(e))
    }

    /// Refuses a change of the whole store while a token is under way.
    pub(in crate::store) fn refuse_while_in_flight(
        &self,
        change: &rusqlite::Connection,
    ) -> Result<(), StoreError> {
        let known = of_all(change).map_err(|e| self.failed(e))?;
        match known.into_iter().find(|(_, known)| known.state == AttemptState::InFlight) {
            Some((address, _)) => Err(StoreError::RefreshInFlight { address: Box::new(address) }),
            None => Ok(()),
        }
    }
}

pub(in crate::store) fn of_all(
    connection: &rusqlite::Connection,
) -> rusqlite::Result<Vec<(Address, RefreshAttempt)>> {
    let sql = format!("SELECT {COLUMNS}, provider, credential_set, profile FROM {JOINED}");
    let mut statement = connection.prepare_cached(&sql)?;
    // What is at no address is nobody's.
    let address = |row: &Row<'_>| {
        Some(Address { provider: name(row, 5).ok()?, set: name(row, 6).ok()?, profile: name(row, 7).ok()? })
    };
    let rows = statement.query_map([], |row| address(row).map(|at| Ok((at, exchange(row)?))).transpose())?;
    rows.filter_map(Result::transpose).collect()
}

fn of_one() -> String {
    format!("SELECT {COLUMNS} FROM {JOINED} WHERE provider = ? AND credential_set = ? AND profile = ?")
}

pub(in crate::store) fn record(
    change: &rusqlite::Connection,
    address: &Address,
    version: i64,
    state: AttemptState,
    holder: &str,
    why: Option<&str>,
) -> rusqlite::Result<()> {
    record_since(change, address, version, state, holder, Timestamp::now(), why)
}

pub(in crate::store) fn record_since(
    change: &rusqlite::Connection,
    address: &Address,
    version: i64,
    state: AttemptState,
    holder: &str,
    since: Timestamp,
    why: Option<&str>,
) -> rusqlite::Result<()> {
    let recorded = change.execute(
        RECORD,
        named_params! {
            ":provider": address.provider.as_str(),
            ":set": address.set.as_str(),
            ":profile": address.profile.as_str(),
            ":version": version,
            ":state": state.as_str(),
            ":holder": holder,
            ":since": since.as_millisecond(),
            ":why": why,
        },
    );
    recorded.map(drop)
}

fn exchange(row: &Row<'_>) -> rusqlite::Result<RefreshAttempt> {
    let state = match row.get_ref(1)?.as_str().unwrap_or_default() {
        "sent" => AttemptState::InFlight,
        "refused" => AttemptState::Rejected,
        _ => AttemptState::Unknown,
    };
    let known = RefreshAttempt {
        version: row.get(0)?,
        state,
        holder: row.get_ref(2)?.as_str().unwrap_or_default().to_owned(),
        since: Timestamp::UNIX_EPOCH,
        why: row.get_ref(4)?.as_str().ok().map(str::to_owned),
    };
    Ok(match time(row.get(3)?) {
        Ok(since) => RefreshAttempt { since, ..known },
        // A record that makes no sense is no reason to send a token.
        Err(_) => {
            let why = Some("the record of it makes no sense".to_owned());
            RefreshAttempt { state: AttemptState::Unknown, since: Timestamp::now(), why, ..known }
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
    fn a_token_is_sent_once() {
        let (mut store, address, version) = stored();
        assert_eq!(
            store.begin_attempt(&address, version, "me", false).expect("begun"),
            BeginOutcome::Started
        );
        let BeginOutcome::AlreadyRecorded(before) =
            store.begin_attempt(&address, version, "you", false).expect("begun")
        else {
            panic!("twice");
        };
        assert_eq!((before.state, before.holder.as_str()), (AttemptState::InFlight, "me"));
        assert_eq!(store.attempts().expect("all"), [(address.clone(), before)]);
        assert_eq!(
            store.begin_attempt(&address, version, "you", true).expect("begun"),
            BeginOutcome::Started
        );
    }

    #[test]
    fn what_is_stored_next_makes_it_void() {
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
        assert_eq!(store.attempt(&address).expect("read"), None, "the loser changes nothing");
        assert_eq!(
            store.begin_attempt(&address, next.version, "me", false).expect("begun"),
            BeginOutcome::Started
        );
        let begun = store.attempt(&address).expect("read");
        store.end_attempt(&address, version, AttemptState::Rejected, "me", "late").expect("ignored");
        store.remove_attempt(&address, version).expect("ignored");
        assert_eq!(store.attempt(&address).expect("read"), begun, "nor when the winner has begun one");
        store.remove_attempt(&address, next.version).expect("forgotten");
        assert_eq!(store.attempt(&address).expect("read"), None);
    }

    #[test]
    fn what_was_known_before_one_that_did_not_happen_is_known_again() {
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
        assert_eq!(store.attempt(&address).expect("read"), None, "the credential has moved on");
    }

    #[test]
    fn a_record_that_makes_no_sense_sends_no_token() {
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
    fn it_goes_with_the_credential() {
        let (mut store, address, version) = stored();
        store.begin_attempt(&address, version, "me", false).expect("begun");
        store.remove(&address).expect("removed");
        assert_eq!(store.attempts().expect("all"), []);
    }
}
