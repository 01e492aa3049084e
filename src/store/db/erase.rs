//! Having replaced and removed secrets leave the files too.

use std::time::Duration;

use crate::store::{Store, StoreError};

/// How long readers are waited for. Short, for other writers wait as long.
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(2);

/// Whether `credential` has more than one page.
const IS_SPLIT: &str = "SELECT 1 FROM dbstat WHERE name = 'credential' LIMIT 1 OFFSET 1";

impl Store {
    /// Has everything that was replaced or removed leave the files. Storing and removing do this by
    /// themselves.
    ///
    /// SQLite overwrites what is removed (`secure_delete`), but not the copies that a page keeps of what was
    /// moved out of it when it was split; so a database whose credentials have more than one page is written anew. Then
    /// the write-ahead log is written into the database and emptied.
    ///
    /// False when another process still reads the old state, or writes, after some seconds.
    ///
    /// # Errors
    /// [`StoreError::Database`] for what the system refuses: above all, no space left.
    pub fn erase(&self) -> Result<bool, StoreError> {
        self.erase_within(PATIENCE)
    }

    /// The same, waiting no longer than this for readers.
    pub(in crate::store) fn erase_within(&self, patience: Duration) -> Result<bool, StoreError> {
        if self.path().is_none() {
            return Ok(true);
        }
        self.connection.busy_timeout(patience).map_err(|e| self.failed(e))?;
        let erased = self.vacuum().and_then(|()| self.empty_log()).map_err(|e| self.failed(e));
        self.wait_for_writers().map_err(|e| self.failed(e))?;
        match erased {
            Err(StoreError::Locked { .. }) => Ok(false),
            other => other,
        }
    }

    fn vacuum(&self) -> rusqlite::Result<()> {
        if self.connection.prepare(IS_SPLIT)?.exists([])? {
            // Its temporary copy holds every secret, and must not become a file.
            self.connection.execute_batch("PRAGMA temp_store = MEMORY; VACUUM")?;
        }
        Ok(())
    }

    /// Whether it could be emptied.
    fn empty_log(&self) -> rusqlite::Result<bool> {
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        busy.map(|busy: bool| !busy)
    }
}
