//! Transactions: what every change to the database and every read of a secret has in common.

use std::sync::{Arc, atomic::Ordering};

use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use super::identify;
use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        error::Fault,
        key::{ATTEMPTS, DataKey, PromptPolicy, passphrase_provider},
    },
};

/// Counts a change of a credential. Every removal counts too.
pub(in crate::store) const NEXT_VERSION: &str = "UPDATE clock SET version = version + 1 RETURNING version";

/// Returns how many changes of credentials the database has seen.
pub(in crate::store) fn clock(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT version FROM clock", [], |row| row.get(0))
}

impl Store {
    /// Runs `run` and names the database in its error.
    pub(in crate::store) fn run<T>(&self, run: impl FnOnce() -> Result<T, Fault>) -> Result<T, StoreError> {
        run().map_err(|fault| fault.at(self.place()))
    }

    /// Runs `run` in a transaction that writes, and commits it.
    pub(in crate::store) fn change<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let change = self.begin()?;
        self.commit(change, run)
    }

    /// Like [`Store::change`], with the data key that the database has in that transaction.
    pub(in crate::store) fn change_with_key<T>(
        &self,
        run: impl FnOnce(&Connection, &DataKey) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.compare_with_settings()?;
        for _ in 0..ATTEMPTS {
            self.key(PromptPolicy::Allowed)?;
            let change = self.begin()?;
            if let Some(key) = self.cached_key_of(&change)? {
                return self.commit(change, |change| run(change, &key));
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    /// Runs `run` in a transaction that reads, with the data key that the database has in it.
    pub(in crate::store) fn read_with_key<T>(
        &self,
        run: impl FnOnce(&Connection, &DataKey) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            // Nobody has to wait for us while we wait for the key.
            self.key(PromptPolicy::Allowed)?;
            let reading = self.run(|| Ok(self.connection.unchecked_transaction()?))?;
            if let Some(key) = self.cached_key_of(&reading)? {
                return self.run(|| run(&reading, &key));
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    fn cached_key_of(&self, transaction: &Connection) -> Result<Option<Arc<DataKey>>, StoreError> {
        self.run(|| Ok(self.key_at_hand(transaction)?))
    }

    fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        self.run(|| {
            let change = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            // A newer version may have migrated the database since it was opened.
            let found = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            identify::verify_schema(found, &self.place())?;
            Ok(change)
        })
    }

    fn commit<T>(
        &self,
        change: Transaction<'_>,
        run: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.run(|| {
            let done = run(&change)?;
            change.commit()?;
            // If this store is the last to close, it checkpoints the log.
            self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
            Ok(done)
        })
    }

    /// Reports once if the settings name another key source than the database has.
    fn compare_with_settings(&self) -> Result<(), StoreError> {
        if let Some(path) = self.path()
            && !self.compared.swap(true, Ordering::Relaxed)
            && let Some(wanted) = self.differs_from_settings()?
            && let Some(key) = self.key_state()?
            && let Some(provider) = passphrase_provider()
        {
            provider.differs(path, wanted, &key.place);
        }
        Ok(())
    }
}

/// Returns the primary key of an address, in the order of its columns.
pub(in crate::store) fn key(address: &Address) -> [&str; 3] {
    [address.provider.as_str(), address.set.as_str(), address.profile.as_str()]
}
