//! Reading credentials, and listing them without reading their secrets.

use rusqlite::{OptionalExtension, Row, named_params};

use super::{
    Store, StoreError, Summary,
    row::{COLUMNS, SECRET, summary},
    seal,
};
use crate::{
    credential::Record,
    name::{Address, Name},
};

impl Store {
    /// The credential at an address, `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Decode`] for one that cannot be read, and what [`Store::open`] has.
    pub fn get(&self, address: &Address) -> Result<Option<Record>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, secret FROM credential
             WHERE provider = :provider AND credential_set = :set AND profile = :profile"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(|e| self.failed(e))?;
        let parameters = named_params! {
            ":provider": address.provider.as_str(),
            ":set": address.set.as_str(),
            ":profile": address.profile.as_str(),
        };
        statement
            .query_row(parameters, |row| self.record(row))
            .optional()
            .map_err(|e| self.failed(e))?
            .transpose()
    }

    /// What is known of all credentials, or those of one set, without their secrets: sorted by provider, set
    /// and profile.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn list(&self, set: Option<&Name>) -> Result<Vec<Summary>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credential WHERE :set IS NULL OR credential_set = :set
             ORDER BY provider, credential_set, profile"
        );
        let list = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement
                .query_map(named_params! {":set": set.map(Name::as_str)}, summary)?
                .collect::<rusqlite::Result<_>>()
        };
        list().map_err(|e| self.failed(e))
    }

    /// The outer result is SQLite's. The secret is decoded where SQLite has it, without a copy in between.
    pub(super) fn record(&self, row: &Row<'_>) -> rusqlite::Result<Result<Record, StoreError>> {
        let Summary { address, kind, metadata, created_at, updated_at, version, .. } = summary(row)?;
        let stored = row.get_ref(SECRET)?.as_blob()?;
        Ok(match seal::open(&address, version, stored) {
            Ok(credential) if credential.kind() == kind => {
                Ok(Record { address, credential, metadata, created_at, updated_at, version })
            }
            _ => Err(StoreError::Decode { path: self.place(), address }),
        })
    }
}
