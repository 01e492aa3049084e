//! The state of a credential's refresh: its last attempt, and the backoff before the next one.
//!
//! Both belong to one version of the credential. The next credential that is stored at the address makes them void.

pub(in crate::store) mod attempt;
pub(in crate::store) mod backoff;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Store, StoreError,
    db::change::{AT, key},
};
use crate::credential::Address;

/// The rows that belong to the present version of their credential.
const CURRENT: &str = "exchange x JOIN credential USING (provider, credential_set, profile, version)";

impl Store {
    /// Runs a change to what is known of a credential, if the credential still has this version.
    pub(in crate::store) fn change_if_current(
        &mut self,
        address: &Address,
        version: i64,
        run: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        self.change(|change| match is_current(change, address, version)? {
            true => Ok(run(change)?),
            false => Ok(()),
        })
    }
}

fn is_current(change: &Connection, address: &Address, version: i64) -> rusqlite::Result<bool> {
    let sql = format!("SELECT version FROM credential WHERE {AT}");
    let found: Option<i64> = change.query_row(&sql, key(address), |row| row.get(0)).optional()?;
    Ok(found == Some(version))
}

/// Makes sure that there is a row for this version. A row for an older version is removed.
fn ensure_row(change: &Connection, address: &Address, version: i64) -> rusqlite::Result<()> {
    let [provider, set, profile] = key(address);
    let remove = format!("DELETE FROM exchange WHERE {AT} AND version <> ?");
    change.execute(&remove, (provider, set, profile, version))?;
    let insert =
        "INSERT OR IGNORE INTO exchange (provider, credential_set, profile, version) VALUES (?, ?, ?, ?)";
    change.execute(insert, (provider, set, profile, version)).map(drop)
}
