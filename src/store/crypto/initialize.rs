//! A store gets its key, and what it held before is sealed.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{ledger::Ledger, seal};
use crate::{
    credential::Address,
    store::{
        Action, Store, StoreError,
        db::migrate::lock_directory,
        key::{Context, DataKey, PromptPolicy, Purpose, Row, choose, sweep, unused, wrap},
        record::row::{BY_RAW_KEY, COLUMNS, SECRET, VERSION, address_and_version},
    },
};

impl Store {
    /// Seals what an earlier version stored, should opening not have done so already, and has the plain bytes leave
    /// the files. False when somebody who reads them keeps them there for now.
    ///
    /// # Errors
    /// What [`Store::prepare`] has.
    pub fn migrate(&self) -> Result<bool, StoreError> {
        self.audited(Action::Migrate, self.seal_what_is_plain(PromptPolicy::Allowed))?;
        let row = Row::read(&self.connection).map_err(|e| self.failed(e))?;
        Ok(row.is_none_or(|row| row.erased))
    }

    /// Seals what an earlier version stored, and goes on where one that did so was killed.
    pub(in crate::store) fn seal_what_is_plain(&self, asking: PromptPolicy) -> Result<(), StoreError> {
        let state = "SELECT (SELECT erased FROM store_key), EXISTS (SELECT 1 FROM credential)";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        match self.connection.query_row(state, [], read).map_err(|e| self.failed(e))? {
            (None, true) => self.first_key(asking).map(drop),
            (Some(false), _) => {
                self.erase_what_was_plain();
                Ok(())
            }
            (None, false) | (Some(true), _) => Ok(()),
        }
    }

    /// The key of a store in memory, which no source keeps.
    pub(in crate::store) fn key_in_memory(&self, key: DataKey) -> Result<(), StoreError> {
        let row = Row {
            key_id: key.id,
            source: String::new(),
            parameters: String::new(),
            wrapped: Vec::new(),
            created_at: Timestamp::now(),
            erased: true,
        };
        row.write(&self.connection).map_err(|e| self.failed(e))?;
        Ledger::write_all(&self.connection, &key, std::iter::empty()).map_err(|e| self.ledger_failed(e))?;
        self.keep(key);
        Ok(())
    }

    /// Makes the data key, unless somebody else has just done so, and seals what was stored before: all in one
    /// transaction. What the source has to have outside of the database is there before.
    pub(in crate::store) fn first_key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        let context = Context { when: Purpose::First, ..self.context(asking.clone()) };
        let failed = |source| self.failed(source);
        self.refuse_what_is_sealed()?;
        // What may take long, or ask, comes before anybody has to wait for us.
        let chosen = choose(self.place.key_config()?, &context)?;
        let turn = lock_directory(&context.database)?;
        if Row::read(&self.connection).map_err(failed)?.is_some() {
            drop(turn);
            return self.fetch_key(asking);
        }
        sweep(&self.connection, &context)?;
        let fresh = chosen.make(&[], &context, &self.connection)?;
        let key = DataKey::random()?;
        let change = self.begin()?;
        let sealed = self.seal_plain_rows(&change, &key)?;
        wrap(&key, &fresh, !sealed)?.write(&change).map_err(failed)?;
        unused::remove(&change, &fresh.recorded).map_err(failed)?;
        if sealed {
            self.record(&change, Action::Migrate, None).map_err(failed)?;
        }
        change.commit().map_err(failed)?;
        drop(turn);
        self.tidy_up_on_close()?;
        let key = self.keep(key);
        if sealed {
            self.erase_what_was_plain();
        }
        if let Some(custodian) = crate::store::key::passphrase_provider() {
            custodian.chosen(&context.database, chosen.source, &fresh.recorded.place(&context));
        }
        Ok(key)
    }

    /// What is sealed already is under a key that is lost with its record. To seal it again would bury it.
    pub(in crate::store) fn refuse_what_is_sealed(&self) -> Result<(), StoreError> {
        const SEALED: &str = "SELECT EXISTS (SELECT 1 FROM credential WHERE substr(secret, 1, 1) = ?)";
        let is_sealed: bool = self
            .connection
            .query_row(SEALED, [[seal::FORMAT]], |row| row.get(0))
            .map_err(|e| self.failed(e))?;
        match is_sealed && Row::read(&self.connection).map_err(|e| self.failed(e))?.is_none() {
            true => {
                Err(StoreError::Corrupt { path: self.place(), what: "the record of its key is gone".into() })
            }
            false => Ok(()),
        }
    }

    /// True when there was anything to seal.
    fn seal_plain_rows(&self, change: &Connection, key: &DataKey) -> Result<bool, StoreError> {
        let failed = |source| self.failed(source);
        let mut current: Vec<(Address, i64)> = Vec::new();
        let mut read =
            change.prepare(&format!("SELECT {COLUMNS}, secret FROM credential")).map_err(failed)?;
        let mut write = change
            .prepare(
                "UPDATE credential SET secret = ? WHERE provider = ? AND credential_set = ? AND profile = ?",
            )
            .map_err(failed)?;
        let mut rows = read.query([]).map_err(failed)?;
        let (mut sealed, mut others) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next().map_err(failed)? {
            let plain = row.get_ref(SECRET).and_then(|value| Ok(value.as_blob()?)).map_err(failed)?;
            // As they are: what is no credential is reported when it is read.
            match address_and_version(row).map_err(failed)? {
                Ok((address, version)) => {
                    sealed.push(seal::seal_bytes(&key.key, &address, version, plain)?);
                    current.push((address, version));
                }
                Err(odd) => {
                    let version = row.get(VERSION).map_err(failed)?;
                    let bytes =
                        seal::seal_row(&key.key, odd.key.each_ref().map(Vec::as_slice), version, plain)?;
                    others.push((odd, bytes));
                }
            }
        }
        drop(rows);
        for ((address, _), bytes) in current.iter().zip(&sealed) {
            let [provider, set, profile] = crate::store::db::change::key(address);
            write.execute((bytes, provider, set, profile)).map_err(failed)?;
        }
        for (odd, bytes) in &others {
            let [provider, set, profile] = &odd.key;
            let sql = format!("UPDATE credential SET secret = ? WHERE {BY_RAW_KEY}");
            change.execute(&sql, (bytes, provider, set, profile)).map_err(failed)?;
        }
        Ledger::write_all(change, key, current.iter().map(|(address, version)| (address, *version)))
            .map_err(|e| self.ledger_failed(e))?;
        Ok(!current.is_empty() || !others.is_empty())
    }
}
