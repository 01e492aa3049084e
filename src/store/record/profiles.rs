//! The accounts of one provider.

use rusqlite::Row;

use crate::{
    credential::Name,
    store::{Store, StoreError},
};

const PROFILES: &str =
    "SELECT profile FROM credential WHERE provider = ? AND credential_set = ? ORDER BY profile";

impl Store {
    /// The profiles of a provider in a set of which a credential is stored, sorted. Reads no secret.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn profiles(&self, provider: &Name, set: &Name) -> Result<Vec<Name>, StoreError> {
        let failed = |e| self.failed(e);
        let mut statement = self.connection.prepare_cached(PROFILES).map_err(failed)?;
        let text = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str().unwrap_or_default().to_owned());
        let rows = statement.query_map([provider.as_str(), set.as_str()], text);
        let profiles: Vec<String> = rows.and_then(Iterator::collect).map_err(failed)?;
        // What is no name can be nobody's account: `listing` has it.
        Ok(profiles.iter().filter_map(|profile| profile.parse().ok()).collect())
    }
}
