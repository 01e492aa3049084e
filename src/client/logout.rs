//! Logging out.

use super::Client;
use crate::{
    Error,
    credential::{Address, Name},
    revoke::{LogoutMode, LogoutOutcome, log_out},
};

impl Client {
    /// Revokes a provider's stored credential at its vendor and removes it. The profile is the client's, unless `profile` names
    /// one. A vendor that refuses or cannot be reached is not an error: see [`LogoutOutcome::revocation`].
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// use authenticate::{ErrorKind, Kind, Revocation};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// # client.login("openai", options, &mut cancel_pair().1).await?;
    /// let outcome = client.logout("openai", None).await?;
    /// assert!(matches!(outcome.revocation, Revocation::NotOffered(Kind::ApiKey)), "a key is removed at the vendor by hand");
    /// let error = client.logout("openai", None).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NoCredential);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Logout`], [`Error::Config`], [`Error::Refresh`], [`Error::Store`]
    pub async fn logout(&self, provider: &str, profile: Option<&Name>) -> Result<LogoutOutcome, Error> {
        let provider = provider.to_owned();
        let address = self.blocking(move |client| client.address(&provider)).await?;
        let address = Address { profile: profile.cloned().unwrap_or(address.profile), ..address };
        self.log_out(&address).await
    }

    async fn log_out(&self, address: &Address) -> Result<LogoutOutcome, Error> {
        Ok(log_out(&self.context, address, LogoutMode::Logout).await?)
    }

    /// Logs out all credentials that are stored in the client's set, or those of its profile. The failure of one does not
    /// stop the others. Rows of [`Client::unreadable`] stay.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]
    pub async fn logout_all(&self) -> Result<Vec<(Address, Result<LogoutOutcome, Error>)>, Error> {
        let mut results = Vec::new();
        for address in self.blocking(Self::stored_addresses).await? {
            let outcome = self.log_out(&address).await;
            results.push((address, outcome));
        }
        Ok(results)
    }

    /// The addresses in the client's set and of its profile, whether or not their rows can be read.
    fn stored_addresses(&self) -> Result<Vec<Address>, Error> {
        let set = self.context.set(self.set.as_ref())?;
        let Some(store) = self.context.existing_store()? else { return Ok(Vec::new()) };
        let listing = store.lock().listing(Some(&set))?;
        let readable = listing.credentials.into_iter().map(|summary| summary.address);
        let unreadable = listing.unreadable.into_iter().filter_map(|row| row.address);
        let is_wanted =
            |address: &Address| self.profile.as_ref().is_none_or(|profile| *profile == address.profile);
        Ok(readable.chain(unreadable).filter(is_wanted).collect())
    }
}
