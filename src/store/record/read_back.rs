//! Success is said only after it was seen.

use crate::{
    credential::Record,
    store::{Store, StoreError},
};

impl Store {
    /// Reads what is stored now, past the page cache, and compares it with what was written. If somebody else
    /// has replaced or removed it by now, then they came after us, and there is nothing left to compare.
    pub(in crate::store) fn read_back(&self, written: Record) -> Result<Record, StoreError> {
        self.connection.release_memory().map_err(|e| self.failed(e))?;
        match self.get(&written.address)? {
            Some(read) if read == written => Ok(read),
            Some(read) if read.version > written.version => Ok(written),
            None if self.has_changed_since(written.version)? => Ok(written),
            _ => Err(StoreError::ReadBack { path: self.place(), address: written.address }),
        }
    }

    fn has_changed_since(&self, version: i64) -> Result<bool, StoreError> {
        let now: i64 = self
            .connection
            .query_row("SELECT version FROM clock", [], |row| row.get(0))
            .map_err(|e| self.failed(e))?;
        Ok(now > version)
    }
}
