//! Reading credentials, and listing them without their secrets.

use rusqlite::{Row, named_params};

use super::row::{COLUMNS, SECRET, VERSION, WITH_SECRET, summary};
use crate::{
    credential::{Address, Name, Record},
    store::{
        Listing, Store, StoreError, Summary,
        crypto::seal,
        db::change::{AT, key},
        error::Fault,
        key::{DataKey, PromptPolicy},
    },
};

impl Store {
    /// Returns the credential at an address, `None` if there is none.
    ///
    /// # Errors
    /// - [`StoreError::NotOpened`] for a credential that was moved or altered.
    /// - [`StoreError::Unreadable`] for one whose metadata cannot be read.
    ///
    /// And those of [`Store::prepare`] and [`Store::open`].
    pub fn get(&self, address: &Address) -> Result<Option<Record>, StoreError> {
        let sql = format!("SELECT 1 FROM credential WHERE {AT}");
        let is_there = || Ok(self.connection.prepare_cached(&sql)?.exists(key(address))?);
        // Nobody is asked for a passphrase if there is nothing to open.
        match self.key_at_hand(&self.connection)?.is_some() || self.run(is_there)? {
            true => self.read_with_key(|reading, data_key| {
                let mut statement = reading.prepare_cached(&format!("{WITH_SECRET} WHERE {AT}"))?;
                let mut rows = statement.query(key(address))?;
                rows.next()?.map(|row| self.record_of(row, data_key)).transpose()
            }),
            false => Ok(None),
        }
    }

    /// Returns all credentials, or those of one set, without their secrets, sorted by provider, set and profile.
    /// Rows that cannot be read are left out; see [`Store::listing`].
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn list(&self, set: Option<&Name>) -> Result<Vec<Summary>, StoreError> {
        Ok(self.listing(set)?.credentials)
    }

    /// Like [`Store::list`], with the rows that cannot be read.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn listing(&self, set: Option<&Name>) -> Result<Listing, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credential WHERE :set IS NULL OR credential_set = :set
             ORDER BY provider, credential_set, profile"
        );
        self.run(|| {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut listing = Listing::default();
            for row in statement.query_map(named_params! {":set": set.map(Name::as_str)}, summary)? {
                match row? {
                    Ok(credential) => listing.credentials.push(credential),
                    Err(row) => listing.unreadable.push(self.here(row)),
                }
            }
            Ok(listing)
        })
    }

    /// Returns the profiles of a provider in a set that have a credential, sorted. No secret is read.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn profiles(&self, provider: &Name, set: &Name) -> Result<Vec<Name>, StoreError> {
        let sql = "SELECT profile FROM credential WHERE provider = ? AND credential_set = ? ORDER BY profile";
        self.run(|| {
            let mut statement = self.connection.prepare_cached(sql)?;
            // An invalid name is not a profile. `listing` reports the row.
            let names = statement.query_map([provider.as_str(), set.as_str()], |row| Ok(row.get(0).ok()))?;
            Ok(names.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Refuses if a row with damaged names is the wanted credential, or that of any profile: it must not pass for one that
    /// was never stored. It opens only at the address where it was stored.
    pub(crate) fn refuse_damaged_name(&self, wanted: &Address, any_profile: bool) -> Result<(), StoreError> {
        let damaged = self.run(|| {
            let mut statement = self.connection.prepare(WITH_SECRET)?;
            let mut rows = statement.query([])?;
            let mut damaged = Vec::new();
            while let Some(row) = rows.next()? {
                let [provider, set, profile]: [Option<Name>; 3] =
                    [row.get(0).ok(), row.get(1).ok(), row.get(2).ok()];
                let has_owner = provider.is_some() && set.is_some();
                if has_owner && profile.is_some() {
                    continue;
                }
                let is_sure = has_owner && any_profile;
                let at = Address {
                    provider: provider.unwrap_or(wanted.provider.clone()),
                    set: set.unwrap_or(wanted.set.clone()),
                    profile: profile.unwrap_or(wanted.profile.clone()),
                };
                let is_profile = any_profile || at.profile == wanted.profile;
                if at.provider == wanted.provider && at.set == wanted.set && is_profile {
                    let secret = row.get_ref(SECRET)?.as_blob().unwrap_or_default().to_vec();
                    let version: i64 = row.get(VERSION).unwrap_or_default();
                    damaged.extend(summary(row)?.err().map(|row| (row, is_sure, at, version, secret)));
                }
            }
            Ok(damaged)
        })?;
        for (row, is_sure, at, version, secret) in damaged {
            if is_sure || seal::open(&self.key(PromptPolicy::Allowed)?.key, &at, version, &secret).is_some() {
                return Err(StoreError::Unreadable(Box::new(self.here(row))));
            }
        }
        Ok(())
    }

    /// Opens the credential of a row. Of the faults, [`Fault::Store`] is about this row alone.
    pub(in crate::store) fn record_of(&self, row: &Row<'_>, key: &DataKey) -> Result<Record, Fault> {
        let summary = summary(row)?.map_err(|row| StoreError::Unreadable(Box::new(self.here(row))))?;
        let Summary { address, kind, metadata, created_at, updated_at, version, .. } = summary;
        let stored = row.get_ref(SECRET)?.as_blob().unwrap_or_default();
        let why = match seal::open(&key.key, &address, version, stored) {
            Some(Ok(credential)) if credential.kind() == kind => {
                return Ok(Record { address, credential, metadata, created_at, updated_at, version });
            }
            Some(_) => "is not a credential",
            None => "does not open: it was altered, or belongs to another address or version",
        };
        Err(StoreError::NotOpened { path: self.place(), address: Box::new(address), why }.into())
    }
}
