//! Which refresh tokens of a backup must not be sent: those that were exchanged, or may have been, after it was made.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;

use crate::{
    credential::{Credential, Record},
    name::Address,
    store::{
        exchange::{Exchange, ExchangeState, of_all, record_since},
        row::{name, time},
    },
};

/// Who marks.
const US: &str = "a restore";
const WHY: &str = "the backup is older than the login that it replaced";

const STORED: &str = "SELECT provider, credential_set, profile, updated_at FROM credential";

/// What is known here of the logins that a backup replaces.
pub(super) struct Known {
    stored: HashMap<Address, Timestamp>,
    exchanges: HashMap<Address, Exchange>,
}

impl Known {
    /// Reads it, before it is replaced.
    pub(super) fn read(change: &Connection) -> rusqlite::Result<Self> {
        let mut statement = change.prepare(STORED)?;
        let rows = statement.query_map([], |row| {
            let address = Address { provider: name(row, 0)?, set: name(row, 1)?, profile: name(row, 2)? };
            Ok((address, time(row.get(3)?)?))
        })?;
        let stored = rows.collect::<rusqlite::Result<_>>()?;
        Ok(Self { stored, exchanges: of_all(change)?.into_iter().collect() })
    }

    /// Records of a restored login, now in this version, what is known of its refresh token.
    pub(super) fn mark(&self, change: &Connection, restored: &Record, version: i64) -> rusqlite::Result<()> {
        let Credential::OAuth(_) = &restored.credential else { return Ok(()) };
        let (address, at) = (&restored.address, restored.updated_at);
        let Some(stored) = self.stored.get(address) else { return Ok(()) };
        let exchange = self.exchanges.get(address);
        // One that a restore has marked says since when there had been a newer one.
        let newest =
            exchange.filter(|exchange| exchange.holder == US).map_or(*stored, |exchange| exchange.since);
        match exchange {
            _ if newest > at => {
                record_since(change, address, version, ExchangeState::Unknown, US, newest, Some(WHY))
            }
            Some(Exchange { state, holder, since, why, .. }) if *stored == at => {
                record_since(change, address, version, *state, holder, *since, why.as_deref())
            }
            _ => Ok(()),
        }
    }
}
