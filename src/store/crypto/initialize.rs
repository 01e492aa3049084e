//! Giving a store its first key, and sealing the plain credentials of earlier versions with it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{seal, seal_all::seal_all};
use crate::store::{
    Action, Store, StoreError,
    db::migrate::lock_directory,
    key::{Context, DataKey, PromptPolicy, Purpose, Row, choose, passphrase_provider, sweep, unused},
    record::row::SECRET,
};

impl Store {
    /// Seals the plain credentials of earlier versions, unless opening the store has done so, and erases the plain
    /// bytes from the files. Returns false if another process that reads them keeps them there for now.
    ///
    /// # Errors
    /// As [`Store::prepare`].
    pub fn migrate(&self) -> Result<bool, StoreError> {
        self.require_writable()?;
        self.audited(Action::Migrate, self.seal_plain(PromptPolicy::Allowed))?;
        Ok(self.key_row()?.is_none_or(|row| row.erased))
    }

    /// Seals plain credentials, and completes what a killed process has left of that.
    pub(in crate::store) fn seal_plain(&self, asking: PromptPolicy) -> Result<(), StoreError> {
        let state = "SELECT (SELECT erased FROM store_key), EXISTS (SELECT 1 FROM credential)";
        let state = self.connection.query_row(state, [], |row| Ok((row.get(0)?, row.get(1)?)));
        match self.with_path(state)? {
            (None, true) => drop(self.first_key(asking)?),
            (Some(false), _) => self.erase_plain(),
            (None, false) | (Some(true), _) => {}
        }
        Ok(())
    }

    /// Erases plain bytes from the files. If that does not work now, the next opening tries again.
    pub(super) fn erase_plain(&self) {
        if self.rewrite_file().unwrap_or(false) {
            let _ = self.connection.execute("UPDATE store_key SET erased = 1", []);
        }
    }

    /// Makes the data key and seals what was plain, in one transaction. If another process has just made the key,
    /// gets that one.
    ///
    /// Whatever the source keeps outside of the database is there before the transaction.
    pub(in crate::store) fn first_key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        self.require_writable()?;
        let context = Context { when: Purpose::First, ..self.context(asking.clone()) };
        self.refuse_sealed_without_key()?;
        // All that may take long, or ask, comes before the lock.
        let chosen = choose(self.place.key_config()?, &context)?;
        let lock = lock_directory(&context.database)?;
        if self.key_row()?.is_some() {
            drop(lock);
            return self.fetch_key(asking);
        }
        self.with_path(sweep(&self.connection, &context))?;
        let new = self.with_path(chosen.install(&[], &context, &self.connection))?;
        let key = DataKey::random()?;
        let sealed = self.change(|change| {
            let sealed = seal_all(change, &key, |row| {
                Ok(Zeroizing::new(row.get_ref(SECRET)?.as_blob().map_err(rusqlite::Error::from)?.to_vec()))
            })?;
            Row::wrap(&key, &new, !sealed)?.write(change)?;
            unused::remove(change, &new.location)?;
            if sealed {
                self.record(change, Action::Migrate, None)?;
            }
            Ok(sealed)
        })?;
        drop(lock);
        let key = self.keep(key);
        if sealed {
            self.erase_plain();
        }
        let location = new.location;
        passphrase_provider().chosen(&context.database, location.source(), &location.place(&context));
        Ok(key)
    }

    /// Refuses to make a key if something is sealed already: its key is lost with the record of it, and sealing it
    /// again would hide that.
    pub(in crate::store) fn refuse_sealed_without_key(&self) -> Result<(), StoreError> {
        const SEALED: &str = "SELECT EXISTS (SELECT 1 FROM credential WHERE substr(secret, 1, 1) = ?)
                              AND NOT EXISTS (SELECT 1 FROM store_key)";
        let is_lost = self.connection.query_row(SEALED, [[seal::FORMAT]], |row| row.get(0));
        match self.with_path(is_lost)? {
            false => Ok(()),
            true => {
                Err(StoreError::Corrupt { path: self.place(), what: "the record of its key is gone".into() })
            }
        }
    }
}
