//! The progress of a move: the directory of the vendor's files that a login is being removed from.
//!
//! It is stored with the login (`moving_from` in its `details`) until the login is ours. A process that is killed in
//! between leaves the only copy of the login here, still owned by the vendor.

use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension as _;

use crate::{
    credential::Address,
    store::{
        Store, StoreError,
        db::change::{AT, key},
    },
};

impl Store {
    /// Records that this version is about to be removed from the files in a directory. The next credential that is
    /// stored at the address makes that void.
    pub(crate) fn begin_move(
        &mut self,
        address: &Address,
        version: i64,
        directory: &Path,
    ) -> Result<(), StoreError> {
        let sql = format!("UPDATE credential SET details = json_set(details, '$.moving_from', ?) WHERE {AT}");
        let [provider, set, profile] = key(address);
        // A path that is not UTF-8 is stored as NULL. Such a move cannot be resumed.
        let row = (directory.to_str(), provider, set, profile);
        self.change_if_current(address, version, |change| change.execute(&sql, row).map(drop))
    }

    /// Returns the directory that was recorded last.
    pub(crate) fn move_source(&self, address: &Address) -> Result<Option<PathBuf>, StoreError> {
        let sql = format!("SELECT json_extract(details, '$.moving_from') FROM credential WHERE {AT}");
        let found = self.connection.query_row(&sql, key(address), |row| row.get(0)).optional();
        let found: Option<Option<String>> = self.with_path(found)?;
        Ok(found.flatten().map(PathBuf::from))
    }
}
