//! The backoff after a refresh that failed for now.
//!
//! Callers that were waiting for the refresh do not ask the vendor again, and nobody does before the time that the
//! vendor has named.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use super::{CURRENT, ensure_row};
use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        db::change::{AT, key},
    },
};

/// A refresh of one version that failed for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The credential's version.
    pub version: i64,
    /// The time of the failure, to the microsecond: requests from before and from after must be told apart.
    pub at: Timestamp,
    /// The time before which the vendor must not be asked again; `at` if it named none.
    pub until: Timestamp,
    /// The failure.
    pub why: String,
}

impl Store {
    /// Records that a refresh failed for now, unless the credential has changed.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn set_backoff(&mut self, address: &Address, backoff: &Backoff) -> Result<(), StoreError> {
        let Backoff { version, at, until, why } = backoff;
        let [provider, set, profile] = key(address);
        self.change_if_current(address, *version, |change| {
            ensure_row(change, address, *version)?;
            let sql =
                format!("UPDATE exchange SET backoff_at = ?, backoff_until = ?, backoff_why = ? WHERE {AT}");
            let (at, until) = (at.as_microsecond(), until.as_microsecond());
            change.execute(&sql, (at, until, why, provider, set, profile)).map(drop)
        })
    }

    /// Returns the last failure for now of the present version's refresh.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn backoff(&self, address: &Address) -> Result<Option<Backoff>, StoreError> {
        let sql = format!(
            "SELECT version, backoff_at, backoff_until, backoff_why FROM {CURRENT}
             WHERE {AT} AND backoff_at NOT NULL"
        );
        self.run(|| {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let found = statement.query_row(key(address), |row| {
                // An unreadable backoff is ignored: the vendor is asked again.
                let time = |column| row.get(column).map(|at| Timestamp::from_microsecond(at).ok());
                let (Some(at), Some(until)) = (time(1)?, time(2)?) else { return Ok(None) };
                Ok(Some(Backoff { version: row.get(0)?, at, until, why: row.get(3)? }))
            });
            Ok(found.optional()?.flatten())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{Credential, Metadata};

    #[test]
    fn backoff_of_another_version_is_ignored() {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let put = |store: &mut Store| {
            store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored").version
        };
        let version = put(&mut store);
        assert_eq!(store.backoff(&address).expect("read"), None);
        let at = Timestamp::from_second(1_800_000_000).expect("a time");
        let until = Timestamp::from_second(1_800_000_060).expect("a time");
        let backoff = Backoff { version, at, until, why: "busy".into() };
        store.set_backoff(&address, &backoff).expect("recorded");
        store.set_backoff(&address, &Backoff { why: "still".into(), ..backoff.clone() }).expect("again");
        let known = store.backoff(&address).expect("read");
        assert_eq!(known, Some(Backoff { why: "still".into(), ..backoff.clone() }));
        store
            .connection
            .execute("UPDATE exchange SET backoff_until = 9223372036854775807", [])
            .expect("altered");
        assert_eq!(store.backoff(&address).expect("read"), None, "it is not a time");
        put(&mut store);
        assert_eq!(store.backoff(&address).expect("read"), None);
        store.set_backoff(&address, &backoff).expect("ignored");
        assert_eq!(store.backoff(&address).expect("read"), None, "the credential was replaced");
    }
}
