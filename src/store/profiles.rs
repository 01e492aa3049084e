//! The accounts of one provider.

use super::{Store, StoreError};
use crate::name::{Address, Name};

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
        let rows = statement.query_map([provider.as_str(), set.as_str()], |row| row.get::<_, String>(0));
        let profiles: Vec<String> = rows.and_then(Iterator::collect).map_err(failed)?;
        profiles
            .into_iter()
            .map(|profile| {
                profile.parse().map_err(|_| StoreError::Decode {
                    path: self.place(),
                    address: Address { set: set.clone(), ..Address::of(provider.clone()) },
                })
            })
            .collect()
    }
}
