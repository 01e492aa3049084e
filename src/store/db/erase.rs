//! Overwriting replaced and removed secrets in the files.

use std::time::Duration;

use rusqlite::Connection;

use crate::store::{Store, StoreError};

/// The time for which readers are waited for. It is short, because other writers wait as long.
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Empties the write-ahead log, which may hold replaced and removed secrets. Storing and removing do so too.
    ///
    /// In the database file, SQLite has overwritten them already (`secure_delete`). It may leave a copy in the unused
    /// space of a page that was split; that copy is sealed.
    ///
    /// Returns false if another process still reads the old state, or writes, after two seconds.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the system refuses, because no space is left for example.
    pub fn erase(&self) -> Result<bool, StoreError> {
        self.empty_log(PATIENCE)
    }

    /// Like [`Store::erase`], waiting at most this long.
    pub(in crate::store) fn empty_log(&self, patience: Duration) -> Result<bool, StoreError> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.despite_readers(patience, |connection| {
            connection.query_row(checkpoint, [], |row| row.get(0)).map(|busy: bool| !busy)
        })
    }

    /// Writes the whole file anew, so that no page keeps a copy of what was moved out of it, and empties the log.
    pub(in crate::store) fn rewrite_file(&self) -> Result<bool, StoreError> {
        let rewritten = self.despite_readers(PATIENCE, |connection| {
            // The temporary copy holds every secret, and must not become a file.
            connection.execute_batch("PRAGMA temp_store = MEMORY; VACUUM").map(|()| true)
        })?;
        Ok(rewritten && self.erase()?)
    }

    /// Runs what readers can hold up. Returns false if they did for longer than `patience`.
    fn despite_readers(
        &self,
        patience: Duration,
        run: impl FnOnce(&Connection) -> rusqlite::Result<bool>,
    ) -> Result<bool, StoreError> {
        if self.path().is_none() || self.is_read_only() {
            return Ok(true);
        }
        let done = self.run(|| {
            self.connection.busy_timeout(patience)?;
            Ok(run(&self.connection)?)
        });
        self.with_path(self.wait_for_writers())?;
        match done {
            Err(StoreError::Busy { .. }) => Ok(false),
            done => done,
        }
    }
}
