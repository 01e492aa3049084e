//! Looking for damage.

use rusqlite::Connection;

use crate::store::{Store, StoreError, error::Fault, key::DataKey, record::row::WITH_SECRET};

impl Store {
    /// Reads the whole database and returns its problems, in words for people.
    ///
    /// It reads every page and opens every secret, so it needs the key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for damage that stops the search, and the errors of [`Store::prepare`] and
    /// [`Store::open`].
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let (problems, is_empty) = self.run(|| {
            let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
            let found: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
            let mut problems = found?;
            problems.retain(|problem| problem != "ok");
            let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM credential)";
            Ok((problems, self.connection.query_row(is_empty, [], |row| row.get::<_, bool>(0))?))
        })?;
        match problems.is_empty() && !is_empty {
            true => self.read_with_key(|reading, key| self.unreadable(reading, key)),
            false => Ok(problems),
        }
    }

    fn unreadable(&self, reading: &Connection, key: &DataKey) -> Result<Vec<String>, Fault> {
        let mut statement = reading.prepare(WITH_SECRET)?;
        let mut rows = statement.query([])?;
        let mut problems = Vec::new();
        while let Some(row) = rows.next()? {
            match self.record_of(row, key) {
                Ok(_) => {}
                Err(Fault::Store(error)) => problems.push(error.to_string()),
                Err(Fault::Sqlite(error)) => problems.push(format!("a row cannot be read: {error}")),
            }
        }
        Ok(problems)
    }
}
