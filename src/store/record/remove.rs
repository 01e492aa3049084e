//! Removing credentials.

use rusqlite::params;

use super::row::BY_RAW_KEY;
use crate::{
    credential::Address,
    store::{
        Action, Store, StoreError, Unreadable,
        db::change::{NEXT_VERSION, key},
    },
};

/// The result of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Whether there was a credential. It is no longer in the store.
    pub found: bool,
    /// Whether its bytes were erased from the files too. False only if a reader held that up for as long as we wait;
    /// [`Store::erase`] tries again, and so does the last store that closes after a change.
    pub erased: bool,
}

impl Store {
    /// Removes a credential and erases its bytes as [`Store::erase`] does. The key is not needed.
    ///
    /// # Errors
    /// As [`Store::open`]. A missing credential is not an error.
    pub fn remove(&mut self, address: &Address) -> Result<Removal, StoreError> {
        self.remove_row(key(address).map(str::as_bytes), Some(address), None)
    }

    /// Removes a credential as [`Store::remove`], unless it was replaced meanwhile.
    ///
    /// # Errors
    /// As [`Store::remove`].
    pub(crate) fn remove_version(&mut self, address: &Address, version: i64) -> Result<Removal, StoreError> {
        self.remove_row(key(address).map(str::as_bytes), Some(address), Some(version))
    }

    /// Removes a row that cannot be read, whatever is in its key columns.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn remove_unreadable(&mut self, row: &Unreadable) -> Result<Removal, StoreError> {
        self.remove_row(row.key.each_ref().map(Vec::as_slice), row.address.as_ref(), None)
    }

    fn remove_row(
        &self,
        [provider, set, profile]: [&[u8]; 3],
        address: Option<&Address>,
        version: Option<i64>,
    ) -> Result<Removal, StoreError> {
        let sql = format!("DELETE FROM credential WHERE {BY_RAW_KEY} AND ifnull(version = ?, true)");
        let found = self.change(|change| {
            let found = change.execute(&sql, params![provider, set, profile, version])? > 0;
            if found {
                change.query_row(NEXT_VERSION, [], |_| Ok(()))?;
                self.record(change, Action::Remove, address)?;
            }
            Ok(found)
        })?;
        Ok(Removal { found, erased: self.erase().unwrap_or(false) })
    }
}
