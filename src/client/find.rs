//! The credential that is used.

use super::Client;
use crate::{
    Error,
    credential::Record,
    provider::Registry,
    resolve::{
        Lookup, Request,
        ensure_fresh::{self, FreshCredential},
        inspect_in, resolve, resolve_in,
    },
    store::{Action, Outcome, SharedStore},
    ui::Nobody,
};

impl Client {
    /// The credential of a provider: what the client was given for it, or else what is stored or in the environment.
    ///
    /// ```
    /// # use authenticate::{Client, Error};
    /// async fn key(client: &Client) -> Result<String, Error> {
    ///     let found = client.credential("codex").await?;
    ///     for skipped in &found.skipped {
    ///         println!("{skipped}");
    ///     }
    ///     if let Some(why) = &found.not_renewed {
    ///         println!("used as long as it lasts: {why}");
    ///     }
    ///     Ok(found.usable().map(|secret| secret.expose().to_owned()).unwrap_or_default())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`resolve`]; [`Error::Refresh`] for one that has expired and could not be renewed.
    pub async fn credential(&self, provider: &str) -> Result<FreshCredential, Error> {
        self.find(&Request::new(&self.project, provider)).await
    }

    /// The credential that is asked for in so many words. What the request leaves open is the client's: the set, the
    /// profile, what it was given.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let how = How { api_key: Some("sk-0123456789abcdef".into()), profile: Some("work".parse()?), ..How::default() };
    /// use authenticate::resolve::Request;
    ///
    /// # client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// let request = Request { profile: Some("work".parse()?), ..Request::new(&"demo".parse()?, "openai") };
    /// assert_eq!(client.find(&request).await?.address.to_string(), "openai:work");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::credential`].
    pub async fn find(&self, request: &Request) -> Result<FreshCredential, Error> {
        let request = self.complete(request);
        self.ready(&request, self.resolve(&request)?).await
    }

    /// What is stored for a provider, whatever its state; of the default profile, unless the client has one. Nothing is
    /// renewed, and what the client was given and the environment do not count.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// assert_eq!(client.stored("openai")?, None);
    ///
    /// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// let record = client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// assert_eq!(client.stored("openai")?, Some(record));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::Descriptor`], [`Error::Project`], [`Error::Store`]
    pub fn stored(&self, provider: &str) -> Result<Option<Record>, Error> {
        let registry = Registry::load_one(&self.paths, provider);
        let address = self.address(&registry, provider)?;
        let found = match SharedStore::open_existing(self.store.as_ref(), &self.paths)? {
            Some(store) => {
                let store = store.lock();
                let found = store.get(&address)?;
                if found.is_some() {
                    let _ = store.audit(Action::Token, &address, Outcome::Ok);
                }
                found
            }
            None => None,
        };
        if found.is_none() {
            registry.usable(provider)?;
        }
        Ok(found)
    }

    /// The one place where a stale credential is made fresh.
    pub(super) async fn ready(&self, request: &Request, found: Lookup) -> Result<FreshCredential, Error> {
        match found {
            Lookup::Ready(resolved) => Ok(FreshCredential { resolved, not_refreshed: None }),
            Lookup::Expiring(stale) => {
                ensure_fresh::ensure_fresh(&self.paths, self.store.as_ref(), request, stale, &Nobody).await
            }
        }
    }

    /// A request with what the client knows in place of what it leaves open.
    pub(super) fn complete(&self, request: &Request) -> Request {
        let profile = request.profile.clone().or_else(|| self.profile.clone());
        let given = request.given.clone().or_else(|| self.override_for(&request.provider, profile.as_ref()));
        Request { set: request.set.clone().or_else(|| self.set.clone()), profile, given, ..request.clone() }
    }

    pub(super) fn resolve(&self, request: &Request) -> Result<Lookup, Error> {
        match &self.store {
            Some(store) => resolve_in(Some(&store.lock()), &self.paths, request),
            None => resolve(&self.paths, request),
        }
    }

    /// As [`Client::resolve`], for who does not want the secret.
    pub(super) fn look(&self, request: &Request) -> Result<Lookup, Error> {
        let store = SharedStore::open_existing(self.store.as_ref(), &self.paths)?;
        inspect_in(store.as_ref().map(SharedStore::lock).as_deref(), &self.paths, request)
    }
}
