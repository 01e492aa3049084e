//! Logging out.

use super::Client;
use crate::{
    Error,
    credential::{Address, Name},
    provider::Registry,
    revoke::{LogoutMode, LogoutOutcome, log_out},
    store::{Listing, SharedStore},
};

impl Client {
    /// Revokes a credential at its vendor and removes it from the store, whether or not that works; of the client's
    /// profile or else the default one, if none is named.
    ///
    /// ```
    /// # use authenticate::{Client, Error, login::{How, cancel}, config::Paths, ui::Nobody};
    /// use authenticate::revoke::Revocation;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// # client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// let left = client.logout("openai", None).await?;
    /// assert!(matches!(left.revocation, Revocation::NotOffered), "a key is removed at the vendor by hand");
    /// assert!(matches!(client.logout("openai", None).await, Err(Error::NoCredential { .. })));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::NoCredential`], [`Error::Project`], [`Error::Refresh`], [`Error::Store`]
    pub async fn logout(&self, provider: &str, profile: Option<&Name>) -> Result<LogoutOutcome, Error> {
        let registry = Registry::load_one(&self.paths, provider);
        let address = self.address(&registry, provider)?;
        self.leave(&Address { profile: profile.cloned().unwrap_or(address.profile), ..address }).await
    }

    async fn leave(&self, address: &Address) -> Result<LogoutOutcome, Error> {
        let registry = Registry::load_one(&self.paths, address.provider.as_str());
        let provider = registry.usable(address.provider.as_str());
        let project = self.project_file()?;
        log_out(&self.paths, self.store.as_ref(), provider, &project, address, LogoutMode::Logout).await
    }

    /// The same for all credentials that are stored in the project's set, or those of the client's profile. One that fails
    /// does not keep the others from being tried. What [`Client::unreadable`] has stays.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn logout_all(&self) -> Result<Vec<(Address, Result<LogoutOutcome, Error>)>, Error> {
        let set = self.credential_set()?;
        let store = SharedStore::open_existing(self.store.as_ref(), &self.paths)?;
        let Listing { credentials, unreadable } =
            store.map(|store| store.lock().listing(Some(&set))).transpose()?.unwrap_or_default();
        let readable = credentials.into_iter().map(|summary| summary.address);
        let mut results = Vec::new();
        for address in readable.chain(unreadable.into_iter().filter_map(|row| row.address)) {
            if self.profile.as_ref().is_none_or(|profile| *profile == address.profile) {
                let left = self.leave(&address).await;
                results.push((address, left));
            }
        }
        Ok(results)
    }
}
