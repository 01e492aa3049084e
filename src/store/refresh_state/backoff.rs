//! Renewals that did not come about this time: whoever was waiting for one need not ask the vendor again, and nobody
//! should before the time that the vendor has named.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, named_params, types::FromSqlError};

use crate::{
    credential::Address,
    store::{Store, StoreError, db::change::key},
};

/// A renewal of one version that did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The credential's version.
    pub version: i64,
    /// When, to the microsecond: who asked before that and who after has to be told apart.
    pub at: Timestamp,
    /// Until when the vendor does not want to be asked again; `at` where it said nothing.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

const RECORD: &str = "
INSERT INTO postponed (provider, credential_set, profile, version, at, until, why)
VALUES (:provider, :set, :profile, :version, :at, :until, :why)
ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at, until = excluded.until, why = excluded.why";

const READ: &str = "
SELECT p.version, p.at, p.until, p.why
FROM postponed p JOIN credential c USING (provider, credential_set, profile, version)
WHERE provider = ? AND credential_set = ? AND profile = ?";

impl Store {
    /// Records that a renewal did not come about, unless the credential has moved on.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn set_backoff(&mut self, address: &Address, postponed: &Backoff) -> Result<(), StoreError> {
        self.change_if_current(address, postponed.version, |change| {
            let recorded = change.execute(
                RECORD,
                named_params! {
                    ":provider": address.provider.as_str(),
                    ":set": address.set.as_str(),
                    ":profile": address.profile.as_str(),
                    ":version": postponed.version,
                    ":at": postponed.at.as_microsecond(),
                    ":until": postponed.until.as_microsecond(),
                    ":why": postponed.why,
                },
            );
            recorded.map(drop)
        })
    }

    /// The last renewal of the present version that did not come about.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn backoff(&self, address: &Address) -> Result<Option<Backoff>, StoreError> {
        let found = || {
            let mut statement = self.connection.prepare_cached(READ)?;
            let row = statement.query_row(key(address), |row| {
                // What makes no sense spares nobody a question.
                let (Ok(at), Ok(until)) = (time(row.get(1)?), time(row.get(2)?)) else { return Ok(None) };
                Ok(Some(Backoff { version: row.get(0)?, at, until, why: row.get(3)? }))
            });
            Ok(row.optional()?.flatten())
        };
        found().map_err(|e| self.failed(e))
    }
}

fn time(microseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(microseconds).map_err(|error| FromSqlError::Other(Box::new(error)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{Credential, Metadata};

    #[test]
    fn it_counts_for_one_version_of_the_credential() {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let put = |store: &mut Store| {
            store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored").version
        };
        let version = put(&mut store);
        assert_eq!(store.backoff(&address).expect("read"), None);
        let at = Timestamp::from_second(1_800_000_000).expect("a time");
        let until = Timestamp::from_second(1_800_000_060).expect("a time");
        let postponed = Backoff { version, at, until, why: "busy".into() };
        store.set_backoff(&address, &postponed).expect("recorded");
        store.set_backoff(&address, &Backoff { why: "still".into(), ..postponed.clone() }).expect("again");
        let known = store.backoff(&address).expect("read");
        assert_eq!(known, Some(Backoff { why: "still".into(), ..postponed.clone() }));
        store.connection.execute("UPDATE postponed SET until = 9223372036854775807", []).expect("altered");
        assert_eq!(store.backoff(&address).expect("read"), None, "it makes no sense");
        put(&mut store);
        assert_eq!(store.backoff(&address).expect("read"), None);
        store.set_backoff(&address, &postponed).expect("ignored");
        assert_eq!(store.backoff(&address).expect("read"), None, "it has moved on");
    }
}
