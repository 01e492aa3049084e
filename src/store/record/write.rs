//! Storing and replacing.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::row::{insert, replace, time};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{
        Action, Store, StoreError,
        crypto::{ledger::Ledger, seal},
        db::{
            change::{NEXT_VERSION, key},
            erase::PATIENCE,
        },
    },
};

/// What became of a compare-and-swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The version was the expected one; this is stored now.
    Swapped(Record),
    /// It was not: somebody else has been here. This is what they left, `None` when it was removed.
    Lost(Option<Record>),
}

const CURRENT: &str =
    "SELECT version, created_at FROM credential WHERE provider = ? AND credential_set = ? AND profile = ?";

impl Store {
    /// Stores a credential, or replaces the one that is there, in one transaction, and reads it back from the
    /// database. The old one's bytes are overwritten as in [`Store::erase`].
    ///
    /// What is returned is what was read. Times are kept to the millisecond, `created_at` stays that of the
    /// first.
    ///
    /// # Errors
    /// [`StoreError::ReadBack`] when something else was read than was stored, and what [`Store::open`] has.
    pub fn put(
        &mut self,
        address: &Address,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Record, StoreError> {
        match self.write(address, None, credential, metadata)? {
            Swap::Swapped(record) => Ok(record),
            Swap::Lost(_) => Err(StoreError::ReadBack { path: self.place(), address: address.clone() }),
        }
    }

    /// As [`Store::put`], but only if the credential is there in the version that is expected.
    ///
    /// # Errors
    /// As [`Store::put`]. Losing is not an error.
    pub fn swap(
        &mut self,
        address: &Address,
        expected_version: i64,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Swap, StoreError> {
        self.write(address, Some(expected_version), credential, metadata)
    }

    fn write(
        &mut self,
        address: &Address,
        expected: Option<i64>,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Swap, StoreError> {
        let path = self.place();
        let failed = |source| StoreError::from_sqlite(path.clone(), source);
        let (change, data_key) = self.begin_with_key()?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let current: Option<(i64, i64)> =
            change.query_row(CURRENT, key(address), read).optional().map_err(failed)?;
        if expected.is_some() && current.map(|(version, _)| version) != expected {
            drop(change);
            return Ok(Swap::Lost(self.get(address)?));
        }
        let version = change.query_row(NEXT_VERSION, [], |row| row.get(0)).map_err(failed)?;
        let secret = seal::seal(&data_key.key, address, version, credential)?;
        let created_at = current.map(|(_, created_at)| created_at);
        let record = to_write(address, created_at, version, credential, metadata).map_err(failed)?;
        let write = if current.is_some() { replace } else { insert };
        write(&change, &record, &secret).map_err(failed)?;
        Ledger::read(&change, &data_key)
            .and_then(|mut ledger| ledger.set(address, Some(version)))
            .map_err(|e| self.ledger_failed(e))?;
        self.record(&change, Action::Store, Some(address)).map_err(failed)?;
        change.commit().map_err(failed)?;
        self.tidy_up_on_close()?;
        if current.is_some() {
            // The new one is stored, whatever becomes of this. A renewal has others waiting; what it leaves is sealed.
            let patience = if expected.is_some() { Duration::ZERO } else { PATIENCE };
            self.erase_within(patience).unwrap_or(false);
        }
        self.read_back(record).map(Swap::Swapped)
    }
}

/// What is written, with its times as the database keeps them.
fn to_write(
    address: &Address,
    created_at: Option<i64>,
    version: i64,
    credential: &Credential,
    metadata: &Metadata,
) -> rusqlite::Result<Record> {
    let now = Timestamp::now().as_millisecond();
    let expires_at = metadata.expires_at.map(Timestamp::as_millisecond);
    Ok(Record {
        address: address.clone(),
        credential: credential.clone(),
        metadata: Metadata { expires_at: expires_at.map(time).transpose()?, ..metadata.clone() },
        created_at: time(created_at.unwrap_or(now))?,
        updated_at: time(now)?,
        version,
    })
}
