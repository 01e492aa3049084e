//! Where a login is being taken out of a vendor's files: beside the login (`moving_from` in its `details`), until it is ours. Whoever
//! is killed in between leaves the only copy of it here, still as the vendor's.

use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension as _;

use crate::{
    credential::Address,
    store::{Store, StoreError, db::change::key},
};

const NOTE: &str = "UPDATE credential SET details = json_set(details, '$.moving_from', ?)
WHERE provider = ? AND credential_set = ? AND profile = ?";

const READ: &str = "SELECT json_extract(details, '$.moving_from') FROM credential
WHERE provider = ? AND credential_set = ? AND profile = ?";

impl Store {
    /// Notes that this version is about to be taken out of the files in a directory. What is stored next makes that void.
    pub(crate) fn begin_move(
        &mut self,
        address: &Address,
        version: i64,
        directory: &Path,
    ) -> Result<(), StoreError> {
        let [provider, set, profile] = key(address);
        // One that is no text is not gone on with.
        let directory = directory.to_str();
        self.change_if_current(address, version, |change| {
            change.execute(NOTE, (directory, provider, set, profile)).map(drop)
        })
    }

    /// The directory that was noted last.
    pub(crate) fn move_source(&self, address: &Address) -> Result<Option<PathBuf>, StoreError> {
        let found = self.connection.query_row(READ, key(address), |row| row.get::<_, Option<String>>(0));
        let found = found.optional().map_err(|e| self.failed(e))?;
        Ok(found.flatten().map(PathBuf::from))
    }
}
