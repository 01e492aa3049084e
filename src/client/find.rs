//! The credential that is used.

use super::Client;
use crate::{
    Error,
    credential::Credential,
    lifecycle::{
        alive,
        resolve::{Request, Resolution, Resolved, resolve, resolve_in},
    },
    ui::Nobody,
};

impl Client {
    /// With a credential that is used for a provider in place of any other. It is stored nowhere.
    ///
    /// ```
    /// # use authenticate::{Client, credential::Credential, lifecycle::resolve::Source, paths::Paths};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let client = Client::new(paths).give("openai", Credential::api_key("sk-for-this-run"))?;
    /// let found = client.credential("openai").await?;
    /// assert_eq!(found.source, Source::Override);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownProvider`]
    pub fn give(mut self, provider: &str, credential: Credential) -> Result<Self, Error> {
        let name = self.provider(provider)?.name.clone();
        self.given.retain(|(known, _)| *known != name);
        self.given.push((name, credential));
        Ok(self)
    }

    /// Whether there is a credential that can be used, perhaps after it was renewed. A provider that needs none is not
    /// authenticated by that.
    ///
    /// # Errors
    /// As [`resolve`], but for [`Error::NoCredential`] and [`Error::Expired`], which are no.
    pub fn is_authenticated(&self, provider: &str) -> Result<bool, Error> {
        match self.resolve(&self.request(provider)?) {
            Ok(_) => Ok(true),
            Err(Error::NoCredential { .. } | Error::Expired { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The credential of a provider.
    ///
    /// # Errors
    /// As [`resolve`].
    pub async fn credential(&self, provider: &str) -> Result<Resolved, Error> {
        self.find(&self.request(provider)?).await
    }

    /// The credential that is asked for in so many words. The client's own set and what it was given do not count.
    ///
    /// # Errors
    /// As [`resolve`].
    pub async fn find(&self, request: &Request) -> Result<Resolved, Error> {
        self.ready(request, self.resolve(request)?).await
    }

    /// The one place where a stale credential is made fresh.
    pub(super) async fn ready(&self, request: &Request, found: Resolution) -> Result<Resolved, Error> {
        match found {
            Resolution::Ready(resolved) => Ok(resolved),
            Resolution::Stale(stale) => {
                let alive = alive::keep(&self.paths, self.store.as_ref(), request, stale, &Nobody).await?;
                Ok(alive.resolved)
            }
        }
    }

    pub(super) fn request(&self, provider: &str) -> Result<Request, Error> {
        let mut request = Request { set: self.set.clone(), ..Request::new(&self.project, provider) };
        if !self.given.is_empty() {
            let name = self.provider(provider)?.name.clone();
            request.given =
                self.given.iter().find(|(known, _)| *known == name).map(|(_, given)| given.clone());
        }
        Ok(request)
    }

    pub(super) fn resolve(&self, request: &Request) -> Result<Resolution, Error> {
        match &self.store {
            Some(store) => resolve_in(Some(&store.lock()), &self.paths, request),
            None => resolve(&self.paths, request),
        }
    }
}
