//! Transactions: what every change to the database and every read of a secret has in common.

use std::sync::atomic::Ordering;

use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use super::identify;
use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        error::Fault,
        key::{DataKey, PromptPolicy, passphrase_provider},
    },
};

/// The number of times that an operation is tried while another process changes the key or the store.
pub(in crate::store) const ATTEMPTS: usize = 8;

/// Counts a change of a credential. Every removal counts too.
pub(in crate::store) const NEXT_VERSION: &str = "UPDATE clock SET version = version + 1 RETURNING version";

/// Returns how many changes of credentials the database has seen.
pub(in crate::store) fn clock(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT version FROM clock", [], |row| row.get(0))
}

impl Store {
    /// Names the database in an error.
    pub(in crate::store) fn with_path<T>(
        &self,
        result: Result<T, impl Into<Fault>>,
    ) -> Result<T, StoreError> {
        result.map_err(|fault| fault.into().at(self.place()))
    }

    /// Runs `run` and names the database in its error.
    pub(in crate::store) fn run<T>(&self, run: impl FnOnce() -> Result<T, Fault>) -> Result<T, StoreError> {
        self.with_path(run())
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
        let (change, key) = self.retry(|| {
            self.key(PromptPolicy::Allowed)?;
            let change = self.begin()?;
            Ok(self.key_at_hand(&change)?.map(|key| (change, key)))
        })?;
        self.commit(change, |change| run(change, &key))
    }

    /// Runs `run` in a transaction that reads, with the data key that the database has in it.
    pub(in crate::store) fn read_with_key<T>(
        &self,
        run: impl FnOnce(&Connection, &DataKey) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let (reading, key) = self.retry(|| {
            // Nobody has to wait for us while we wait for the key.
            self.key(PromptPolicy::Allowed)?;
            let reading = self.with_path(self.connection.unchecked_transaction())?;
            Ok(self.key_at_hand(&reading)?.map(|key| (reading, key)))
        })?;
        self.run(|| run(&reading, &key))
    }

    /// Tries again as long as there is no result, because another process changes the key or the store.
    pub(in crate::store) fn retry<T>(
        &self,
        mut attempt: impl FnMut() -> Result<Option<T>, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            if let Some(done) = attempt()? {
                return Ok(done);
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    /// Refuses a store that can only be read.
    pub(crate) fn require_writable(&self) -> Result<(), StoreError> {
        match &self.read_only {
            Some(why) => {
                Err(StoreError::Database { path: self.place(), why: why.clone(), is_transient: false })
            }
            None => Ok(()),
        }
    }

    /// Gets the data key, and commits a change that changes nothing: what cannot be stored must not be requested.
    pub(crate) fn prepare_change(&self) -> Result<(), StoreError> {
        self.change_with_key(|change, _| {
            change.execute("UPDATE clock SET version = version", [])?;
            Ok(())
        })
    }

    fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        self.require_writable()?;
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
        {
            passphrase_provider().differs(path, wanted, &key.place);
        }
        Ok(())
    }
}

/// The condition for one address.
pub(in crate::store) const AT: &str = "provider = ? AND credential_set = ? AND profile = ?";

/// Returns the primary key of an address, in the order of its columns.
pub(in crate::store) fn key(address: &Address) -> [&str; 3] {
    [address.provider.as_str(), address.set.as_str(), address.profile.as_str()]
}
