//! Storing and replacing credentials.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::row::{Millis, write};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{
        Action, AttemptState, RefreshAttempt, Store, StoreError,
        crypto::seal,
        db::{
            change::{AT, NEXT_VERSION, clock, key},
            erase::PATIENCE,
        },
        refresh_state::attempt,
    },
};

/// The result of a compare-and-swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The version was the expected one, and this record is stored now.
    Swapped(Record),
    /// The version was another one, because another process has changed the credential: to this, `None` if it was
    /// removed.
    Lost(Option<Record>),
}

impl Store {
    /// Stores a credential in one transaction, or replaces the present one, and reads it back from the database.
    ///
    /// The bytes of a replaced one are erased as [`Store::erase`] does. The returned record is the one that was read.
    /// Times are kept to the millisecond, and `created_at` stays that of the first credential.
    ///
    /// # Errors
    /// [`StoreError::ReadBack`] if what was read differs from what was stored, and the errors of [`Store::prepare`]
    /// and [`Store::open`].
    pub fn put(
        &mut self,
        address: &Address,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Record, StoreError> {
        let stored = self.write(address, None, credential, metadata, None)?;
        stored.ok_or_else(|| StoreError::ReadBack { path: self.place(), address: Box::new(address.clone()) })
    }

    /// Like [`Store::put`], but only if the credential has the expected version.
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
        match self.write(address, Some(expected_version), credential, metadata, None)? {
            Some(record) => Ok(Swap::Swapped(record)),
            None => Ok(Swap::Lost(self.get(address)?)),
        }
    }

    /// Like [`Store::swap`], for a login with tokens that were set aside. In the same transaction it is recorded that its
    /// own refresh token must not be sent any more, with the reason.
    pub(crate) fn swap_set_aside(
        &mut self,
        record: &Record,
        holder: &str,
        why: &str,
    ) -> Result<Swap, StoreError> {
        let Record { address, credential, metadata, version, .. } = record;
        let attempt = RefreshAttempt::now(*version, AttemptState::Rejected, holder, Some(why));
        match self.write(address, Some(*version), credential, metadata, Some(attempt))? {
            Some(record) => Ok(Swap::Swapped(record)),
            None => Ok(Swap::Lost(self.get(address)?)),
        }
    }

    /// Returns `None` if the credential does not have the expected version.
    fn write(
        &mut self,
        address: &Address,
        expected: Option<i64>,
        credential: &Credential,
        metadata: &Metadata,
        attempt: Option<RefreshAttempt>,
    ) -> Result<Option<Record>, StoreError> {
        let current = format!("SELECT version, created_at FROM credential WHERE {AT}");
        let written = self.change_with_key(|change, data_key| {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Millis>(1)?.0));
            let current: Option<(i64, Timestamp)> =
                change.query_row(&current, key(address), read).optional()?;
            if expected.is_some() && current.map(|(version, _)| version) != expected {
                return Ok(None);
            }
            let version = change.query_row(NEXT_VERSION, [], |row| row.get(0))?;
            let secret = seal::seal(&data_key.key, address, version, &credential.encode())?;
            // Times as the database keeps them.
            let kept = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
            let now = kept(crate::clock::now());
            let record = Record {
                address: address.clone(),
                credential: credential.clone(),
                metadata: Metadata { expires_at: metadata.expires_at.map(kept), ..metadata.clone() },
                created_at: current.map_or(now, |(_, created_at)| created_at),
                updated_at: now,
                version,
            };
            write(change, &record, &secret)?;
            if let Some(attempt) = attempt {
                attempt::record(change, address, &RefreshAttempt { version, ..attempt })?;
            }
            self.record(change, Action::Store, Some(address))?;
            Ok(Some((record, current.is_some())))
        })?;
        let Some((record, is_replaced)) = written else { return Ok(None) };
        if is_replaced {
            // The new credential is stored, whether this works or not. Others wait for a refresh, so it does not wait.
            let patience = if expected.is_some() { Duration::ZERO } else { PATIENCE };
            self.empty_log(patience).unwrap_or(false);
        }
        self.read_back(record).map(Some)
    }

    /// Reads the stored record from the file, past the page cache, and compares it with the one that was written.
    ///
    /// If another process has replaced or removed it meanwhile, there is nothing to compare.
    fn read_back(&self, written: Record) -> Result<Record, StoreError> {
        self.with_path(self.connection.release_memory())?;
        match self.get(&written.address)? {
            Some(read) if read == written => Ok(read),
            Some(read) if read.version > written.version => Ok(written),
            None if self.with_path(clock(&self.connection))? > written.version => Ok(written),
            _ => Err(StoreError::ReadBack { path: self.place(), address: Box::new(written.address) }),
        }
    }

    /// Stores the account's name, unless the credential has changed.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn name_account(&mut self, address: &Address, version: i64, account: &str) -> Result<(), StoreError> {
        let sql = format!("UPDATE credential SET account = ? WHERE {AT}");
        let [provider, set, profile] = key(address);
        let row = [account, provider, set, profile];
        self.change_if_current(address, version, |change| change.execute(&sql, row).map(drop))
    }
}
