//! Finding the credential to use.

use super::Client;
use crate::{
    Error,
    context::Context,
    credential::Record,
    resolve::{self, FreshCredential, Lookup, Request},
    store::{Action, Outcome},
};

impl Client {
    /// Finds the credential of a provider: one that the client was given, or else one that is stored or in the environment.
    /// It is refreshed first if it is due.
    ///
    /// ```
    /// # use authenticate::{Client, Error};
    /// async fn key(client: &Client) -> Result<String, Error> {
    ///     let found = client.credential("codex").await?;
    ///     for skipped in &found.skipped {
    ///         println!("{skipped}");
    ///     }
    ///     if let Some(why) = &found.not_refreshed {
    ///         println!("used until it expires: {why}");
    ///     }
    ///     Ok(found.usable().map(|secret| secret.expose().to_owned()).unwrap_or_default())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Resolve`], [`Error::Config`], [`Error::Store`]; [`Error::Refresh`] for a credential that has expired and
    /// could not be refreshed.
    pub async fn credential(&self, provider: &str) -> Result<FreshCredential, Error> {
        self.find(&Request::new(provider)).await
    }

    /// Finds the credential that a request describes. The client completes the request with its own set, profile and given
    /// credential.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// use authenticate::Request;
    ///
    /// # let key = Some("sk-0123456789abcdef".into());
    /// # let options = LoginOptions { api_key: key, profile: Some("work".parse()?), ..LoginOptions::default() };
    /// # client.login("openai", options, &mut cancel_pair().1).await?;
    /// let request = Request { profile: Some("work".parse()?), ..Request::new("openai") };
    /// assert_eq!(client.find(&request).await?.address.to_string(), "openai:work");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::credential`].
    pub async fn find(&self, request: &Request) -> Result<FreshCredential, Error> {
        let (request, found) = self.resolve(request).await?;
        self.fresh(&request, found).await
    }

    /// The stored credential of a provider, whatever its state; of the default profile, unless the client has one. Nothing is
    /// refreshed. The credentials that the client was given and those in the environment do not count.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// assert_eq!(client.stored("openai").await?, None);
    ///
    /// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// let record = client.login("openai", options, &mut cancel_pair().1).await?;
    /// assert_eq!(client.stored("openai").await?, Some(record));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]
    pub async fn stored(&self, provider: &str) -> Result<Option<Record>, Error> {
        let provider = provider.to_owned();
        self.blocking(move |client| {
            let address = client.address(&provider)?;
            let mut found = None;
            if let Some(store) = client.context.existing_store()? {
                let store = store.lock();
                found = store.get(&address)?;
                if found.is_some() {
                    // The credential is handed out even if that cannot be recorded.
                    let _ = store.audit(Action::Token, &address, Outcome::Ok);
                }
            }
            if found.is_none() {
                client.context.provider(&provider)?;
            }
            Ok(found)
        })
        .await
    }

    /// Refreshes a credential that is due.
    pub(super) async fn fresh(&self, request: &Request, found: Lookup) -> Result<FreshCredential, Error> {
        match found {
            Lookup::Ready(resolved) => Ok(resolved.into()),
            Lookup::Expiring(expiring) => Ok(resolve::ensure_fresh(&self.context, request, expiring).await?),
        }
    }

    /// Completes a request with the client's set, profile and given credential.
    pub(super) fn complete(&self, request: &Request) -> Request {
        let profile = request.profile.clone().or_else(|| self.profile.clone());
        let given = request.given.clone().or_else(|| self.override_for(&request.provider, profile.as_ref()));
        Request { set: request.set.clone().or_else(|| self.set.clone()), profile, given, ..request.clone() }
    }

    /// Completes a request, and resolves it to hand the secret out.
    pub(super) async fn resolve(&self, request: &Request) -> Result<(Request, Lookup), Error> {
        self.look_up(request, resolve::resolve).await
    }

    /// Completes a request, and resolves it for a caller that does not want the secret.
    pub(super) async fn inspect(&self, request: &Request) -> Result<Lookup, Error> {
        Ok(self.look_up(request, resolve::inspect).await?.1)
    }

    async fn look_up(
        &self,
        request: &Request,
        find: fn(&Context, &Request) -> Result<Lookup, resolve::ResolveError>,
    ) -> Result<(Request, Lookup), Error> {
        let request = request.clone();
        self.blocking(move |client| {
            let request = client.complete(&request);
            let found = find(&client.context, &request)?;
            Ok((request, found))
        })
        .await
    }
}
