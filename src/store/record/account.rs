//! Whose a credential is, where that is found out once it is stored.

use crate::{
    credential::Address,
    store::{Store, StoreError, db::change::key},
};

const NAME: &str =
    "UPDATE credential SET account = ? WHERE provider = ? AND credential_set = ? AND profile = ?";

impl Store {
    /// Notes the account's name, unless the credential has moved on.
    ///
    /// # Errors
    /// As [`Store::put`].
    pub fn name_account(&mut self, address: &Address, version: i64, account: &str) -> Result<(), StoreError> {
        let [provider, set, profile] = key(address);
        self.change_if_current(address, version, |change| {
            change.execute(NAME, [account, provider, set, profile]).map(drop)
        })
    }
}
