//! Checks for a usable credential.

use super::Client;
use crate::{
    Error, ErrorKind,
    refresh::{Refresh, RefreshError},
    resolve::{Lookup, Request, Source, StoredChoice},
    status::state::{self, CredentialState},
};

impl Client {
    /// Whether a provider has a credential that can be used, possibly after a refresh. The vendor is not asked. False for a
    /// provider that needs no key and has none, and for an expired login that the vendor has ended.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]; [`Error::Resolve`] if several accounts are stored and none was chosen, or if an
    /// environment variable has an invalid value.
    pub async fn is_authenticated(&self, provider: &str) -> Result<bool, Error> {
        match self.inspect(&Request::new(provider)).await {
            Ok(Lookup::Ready(_)) => Ok(true),
            Ok(Lookup::Expiring(expiring)) => {
                self.blocking(move |client| client.may_be_used(&expiring)).await
            }
            Err(error @ Error::Resolve(_)) if error.kind() == ErrorKind::NoCredential => match error {
                Error::Resolve(crate::resolve::ResolveError::Variable { .. }) => Err(error),
                _ => Ok(false),
            },
            Err(error) => Err(error),
        }
    }

    /// Whether any provider has a usable credential in the client's set.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// client.login("openai", options, &mut cancel_pair().1).await?;
    /// assert!(client.is_any_authenticated().await?);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]; if no provider has one, the first error of [`Client::is_authenticated`].
    pub async fn is_any_authenticated(&self) -> Result<bool, Error> {
        let mut first_error = None;
        for entry in self.list().await? {
            let Some(details) = entry.details else { continue };
            let client = match details.source {
                Source::Override => return Ok(true),
                Source::Stored => self.clone().profile(entry.address.profile),
                Source::Env(_) => self.clone(),
            };
            match client.is_authenticated(entry.address.provider.as_str()).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(false), Err)
    }

    /// Whether a credential that is due has not expired yet, or can be refreshed as far as is known.
    fn may_be_used(&self, expiring: &StoredChoice) -> Result<bool, Error> {
        let (record, now) = (&expiring.record, crate::clock::now());
        if record.metadata.expires_at.is_none_or(|expiry| expiry > now) {
            return Ok(true);
        }
        let store = self.context.store()?;
        let state = {
            let (store, address) = (store.lock(), &record.address);
            let state_of = |attempt| state::attempt_state(&store, address, &attempt, now);
            store.attempt(address)?.map(state_of).transpose()?
        };
        if let Some(CredentialState::NeedsLogin | CredentialState::Error) = state {
            return Ok(false);
        }
        match Refresh::of(&self.context, record) {
            Ok(refresh) => Ok(refresh.is_possible(record)),
            Err(RefreshError::NotRefreshable { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
