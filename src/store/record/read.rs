//! Reading credentials, and listing them without reading their secrets.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::row::{COLUMNS, SECRET, summary};
use crate::{
    credential::{Address, Name, Record},
    store::{
        Listing, Store, StoreError, Summary,
        crypto::{ledger::Ledger, seal},
        db::change::key,
        key::{ATTEMPTS, DataKey, PromptPolicy},
    },
};

impl Store {
    /// The credential at an address, `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::NotOpened`] for one that was moved, put back or altered, [`StoreError::Decode`] and
    /// [`StoreError::Unreadable`] for one that cannot be read, what [`Store::prepare`] has, and what [`Store::open`] has.
    pub fn get(&self, address: &Address) -> Result<Option<Record>, StoreError> {
        for _ in 0..ATTEMPTS {
            let reading = self.connection.unchecked_transaction().map_err(|e| self.failed(e))?;
            if let Some(key) = self.key_at_hand(&reading).map_err(|e| self.failed(e))? {
                return self.read(&reading, &key, address);
            }
            if !self.has(address).map_err(|e| self.failed(e))? {
                return Ok(None);
            }
            // Whatever it takes to get the key, nobody has to wait for it.
            drop(reading);
            self.fetch_key(PromptPolicy::Allowed)?;
        }
        Err(StoreError::Busy { path: self.place() })
    }

    fn has(&self, address: &Address) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM credential WHERE provider = ? AND credential_set = ? AND profile = ?";
        self.connection.prepare_cached(sql)?.exists(key(address))
    }

    /// As [`Store::get`], within a transaction whose key this is.
    pub(in crate::store) fn read(
        &self,
        reading: &Connection,
        data_key: &DataKey,
        address: &Address,
    ) -> Result<Option<Record>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, secret FROM credential
             WHERE provider = ? AND credential_set = ? AND profile = ?"
        );
        let ledger = Ledger::read(reading, data_key).map_err(|e| self.ledger_failed(e))?;
        let mut statement = reading.prepare_cached(&sql).map_err(|e| self.failed(e))?;
        let read = |row: &Row<'_>| self.record_of(row, data_key, &ledger);
        statement.query_row(key(address), read).optional().map_err(|e| self.failed(e))?.transpose()
    }

    /// What is known of all credentials, or those of one set, without their secrets: sorted by provider, set
    /// and profile. Those that can be read; see [`Store::listing`].
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn list(&self, set: Option<&Name>) -> Result<Vec<Summary>, StoreError> {
        Ok(self.listing(set)?.credentials)
    }

    /// The same, with the rows that cannot be read.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn listing(&self, set: Option<&Name>) -> Result<Listing, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credential WHERE :set IS NULL OR credential_set = :set
             ORDER BY provider, credential_set, profile"
        );
        let list = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut listing = Listing::default();
            for row in statement.query_map(named_params! {":set": set.map(Name::as_str)}, summary)? {
                match row? {
                    Ok(credential) => listing.credentials.push(credential),
                    Err(row) => listing.unreadable.push(self.here(row)),
                }
            }
            Ok(listing)
        };
        list().map_err(|e| self.failed(e))
    }

    /// The outer result is SQLite's.
    pub(in crate::store) fn record_of(
        &self,
        row: &Row<'_>,
        key: &DataKey,
        ledger: &Ledger<'_>,
    ) -> rusqlite::Result<Result<Record, StoreError>> {
        let summary = match summary(row)? {
            Ok(summary) => summary,
            Err(row) => return Ok(Err(StoreError::Unreadable(Box::new(self.here(row))))),
        };
        let Summary { address, kind, metadata, created_at, updated_at, version, .. } = summary;
        let Ok(stored) = row.get_ref(SECRET)?.as_blob() else {
            return Ok(Err(StoreError::Decode { path: self.place(), address }));
        };
        Ok((|| {
            let refuse =
                |why| Err(StoreError::NotOpened { path: self.place(), address: address.clone(), why });
            match ledger.current(&address).map_err(|e| self.ledger_failed(e))? {
                Some(current) if current == version => {}
                Some(_) => return refuse("an older one was put back"),
                None => return refuse("it was put there from elsewhere"),
            }
            match seal::open(&key.key, &address, version, stored) {
                None => refuse("it was altered, or belongs to another address or version"),
                Some(Ok(credential)) if credential.kind() == kind => {
                    Ok(Record { address, credential, metadata, created_at, updated_at, version })
                }
                Some(_) => Err(StoreError::Decode { path: self.place(), address }),
            }
        })())
    }
}
