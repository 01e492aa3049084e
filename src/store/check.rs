//! Looking for damage.

use super::{Store, StoreError, row::COLUMNS};

impl Store {
    /// Everything that is wrong with the database, in words for people; nothing when it is sound. Reads all
    /// of it: the pages, and every secret.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the damage is such that the search cannot go on, and what
    /// [`Store::open`] has.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let failed = |e| self.failed(e);
        let mut statement = self.connection.prepare("PRAGMA integrity_check").map_err(failed)?;
        let mut problems: Vec<String> =
            statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(failed)?;
        problems.retain(|problem| problem != "ok");
        if problems.is_empty() {
            problems = self.unreadable().map_err(failed)?;
        }
        Ok(problems)
    }

    fn unreadable(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("SELECT {COLUMNS}, secret FROM credential"))?;
        let mut rows = statement.query([])?;
        let mut problems = Vec::new();
        while let Some(row) = rows.next()? {
            match self.record(row) {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => problems.push(error.to_string()),
                Err(error) => problems.push(format!("a row cannot be read: {error}")),
            }
        }
        Ok(problems)
    }
}
