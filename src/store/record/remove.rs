//! Removing.

use rusqlite::Connection;

use super::row::BY_RAW_KEY;
use crate::{
    credential::Address,
    store::{
        Action, Store, StoreError, Unreadable,
        crypto::ledger::{Ledger, LedgerError},
        db::change::{NEXT_VERSION, key},
        key::PromptPolicy,
    },
};

/// What became of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// There was such a credential. It is not in the store any more.
    pub found: bool,
    /// Its bytes are gone from the files too. False only when a reader kept us from overwriting them for as
    /// long as we wait; [`Store::erase`] tries again, and so does the last store that closes after a change.
    pub erased: bool,
}

const REMOVE: &str = "DELETE FROM credential WHERE provider = ? AND credential_set = ? AND profile = ?";

impl Store {
    /// Removes a credential and overwrites its bytes as in [`Store::erase`].
    ///
    /// # Errors
    /// As [`Store::open`]. That there was no such credential is not an error.
    pub fn remove(&mut self, address: &Address) -> Result<Removal, StoreError> {
        let path = self.place();
        let failed = |source| StoreError::from_sqlite(path.clone(), source);
        // A credential can be removed without the key, too.
        let _ = self.key(PromptPolicy::No);
        let change = self.begin()?;
        let found = change.execute(REMOVE, key(address)).map_err(failed)? > 0;
        if found {
            change.query_row(NEXT_VERSION, [], |_| Ok(())).map_err(failed)?;
            self.delete_row(&change, address)?;
            self.record(&change, Action::Remove, Some(address)).map_err(failed)?;
        }
        change.commit().map_err(failed)?;
        self.tidy_up_on_close()?;
        Ok(Removal { found, erased: self.erase().unwrap_or(false) })
    }

    /// Removes a row that cannot be read, whatever stands in the place of its names.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn remove_unreadable(&mut self, row: &Unreadable) -> Result<Removal, StoreError> {
        if let Some(address) = &row.address {
            return self.remove(address);
        }
        let path = self.place();
        let failed = |source| StoreError::from_sqlite(path.clone(), source);
        let change = self.begin()?;
        let [provider, set, profile] = &row.key;
        let sql = format!("DELETE FROM credential WHERE {BY_RAW_KEY}");
        let found = change.execute(&sql, (provider, set, profile)).map_err(failed)? > 0;
        if found {
            change.query_row(NEXT_VERSION, [], |_| Ok(())).map_err(failed)?;
            self.record(&change, Action::Remove, None).map_err(failed)?;
        }
        change.commit().map_err(failed)?;
        self.tidy_up_on_close()?;
        Ok(Removal { found, erased: self.erase().unwrap_or(false) })
    }

    /// An altered ledger does not keep anything from being removed.
    fn delete_row(&self, change: &Connection, address: &Address) -> Result<(), StoreError> {
        let Some(key) = self.key_at_hand(change).map_err(|e| self.failed(e))? else { return Ok(()) };
        match Ledger::read(change, &key).and_then(|mut ledger| ledger.set(address, None)) {
            Ok(()) | Err(LedgerError::Altered) => Ok(()),
            Err(error) => Err(self.ledger_failed(error)),
        }
    }
}
