//! Looking for damage.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::store::{
    Store, StoreError,
    crypto::ledger::Ledger,
    key::{DataKey, PromptPolicy},
    record::row::COLUMNS,
};

impl Store {
    /// Everything that is wrong with the database, in words for people; nothing when it is sound. Reads all
    /// of it: the pages, and every secret, so it needs the key.
    ///
    /// # Errors
    /// What [`Store::prepare`] has, [`StoreError::Corrupt`] where the damage is such that the search cannot go on, and what
    /// [`Store::open`] has.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let failed = |e| self.failed(e);
        let mut statement = self.connection.prepare("PRAGMA integrity_check").map_err(failed)?;
        let mut problems: Vec<String> =
            statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(failed)?;
        problems.retain(|problem| problem != "ok");
        problems.extend(self.missing()?);
        if !problems.is_empty() || self.is_empty().map_err(failed)? {
            return Ok(problems);
        }
        self.key(PromptPolicy::Allowed)?;
        let reading = self.connection.unchecked_transaction().map_err(failed)?;
        match self.key_at_hand(&reading).map_err(failed)? {
            Some(key) => self.unreadable(&reading, &key),
            None => Err(StoreError::Busy { path: self.place() }),
        }
    }

    /// Tables and triggers that a database of this version has, and this one has not.
    fn missing(&self) -> Result<Vec<String>, StoreError> {
        let names = |store: &Self| {
            let sql =
                "SELECT 'its ' || type || ' ' || name || ' is missing' FROM sqlite_schema WHERE sql NOT NULL";
            let mut statement = store.connection.prepare(sql)?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<BTreeSet<String>>>()
        };
        let whole = Self::in_memory()?;
        let (there, whole) =
            (names(self).map_err(|e| self.failed(e))?, names(&whole).map_err(|e| self.failed(e))?);
        Ok(whole.difference(&there).cloned().collect())
    }

    pub(in crate::store) fn is_empty(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM credential)", [], |row| row.get(0))
    }

    fn unreadable(&self, reading: &Connection, key: &DataKey) -> Result<Vec<String>, StoreError> {
        let failed = |e| self.failed(e);
        let ledger = Ledger::read(reading, key).map_err(|e| self.ledger_failed(e))?;
        let mut statement =
            reading.prepare(&format!("SELECT {COLUMNS}, secret FROM credential")).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut problems = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            match self.record_of(row, key, &ledger) {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => problems.push(error.to_string()),
                Err(error) => problems.push(format!("a row cannot be read: {error}")),
            }
        }
        Ok(problems)
    }
}
