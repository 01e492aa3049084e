//! What every change to the database has in common.

use std::sync::{Arc, atomic::Ordering};

use rusqlite::{Transaction, TransactionBehavior, config::DbConfig};

use super::header;
use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        key::{ATTEMPTS, DataKey, PromptPolicy, passphrase_provider},
    },
};

/// Every change counts, removals too.
pub(in crate::store) const NEXT_VERSION: &str = "UPDATE clock SET version = version + 1 RETURNING version";

impl Store {
    /// A transaction that writes, in the schema that we know.
    pub(in crate::store) fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let path = self.place();
        let change = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(|source| StoreError::from_sqlite(path.clone(), source))?;
        // A newer version may have migrated the database since it was opened.
        let found = change
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|source| StoreError::from_sqlite(path.clone(), source))?;
        header::verify_schema(found, &path)?;
        Ok(change)
    }

    /// As [`Store::begin`], with the data key of the database as it is then.
    pub(in crate::store) fn begin_with_key(&self) -> Result<(Transaction<'_>, Arc<DataKey>), StoreError> {
        self.compare_with_settings()?;
        for _ in 0..ATTEMPTS {
            self.key(PromptPolicy::Allowed)?;
            let change = self.begin()?;
            if let Some(key) = self.key_at_hand(&change).map_err(|e| self.failed(e))? {
                return Ok((change, key));
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    /// Says once what the settings wish and the database does not have.
    fn compare_with_settings(&self) -> Result<(), StoreError> {
        if self.path().is_some()
            && !self.compared.swap(true, Ordering::Relaxed)
            && let Some(text) = self.differs_from_settings()?
            && let Some(custodian) = passphrase_provider()
        {
            custodian.differs(&text);
        }
        Ok(())
    }

    /// Has the log written into the database when this store is the last to close.
    pub(in crate::store) fn tidy_up_on_close(&self) -> Result<(), StoreError> {
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            .map_err(|e| self.failed(e))?;
        Ok(())
    }
}

/// The primary key of an address, in its order.
pub(in crate::store) fn key(address: &Address) -> [&str; 3] {
    [address.provider.as_str(), address.set.as_str(), address.profile.as_str()]
}
