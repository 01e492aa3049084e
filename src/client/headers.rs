//! The headers of requests.

use url::Url;

use super::Client;
use crate::{
    Error,
    handout::headers::{Destination, Header},
    lifecycle::resolve::Resolution,
};

impl Client {
    /// The headers that authorise a request to the provider's API. A credential is renewed for that only after everything
    /// else was found in order.
    ///
    /// # Errors
    /// As [`Client::credential`]; [`Error::Headers`]
    pub async fn headers(&self, provider: &str) -> Result<Vec<Header>, Error> {
        self.headers_to(provider, None).await
    }

    /// The headers that authorise a request to this URL, if the credential belongs there.
    ///
    /// # Errors
    /// As [`Client::headers`].
    pub async fn headers_for(&self, provider: &str, url: &Url) -> Result<Vec<Header>, Error> {
        self.headers_to(provider, Some(url)).await
    }

    async fn headers_to(&self, provider: &str, url: Option<&Url>) -> Result<Vec<Header>, Error> {
        let known = self.provider(provider)?;
        let destination = Destination::of(&known, url)?;
        let request = self.request(provider)?;
        let found = self.resolve(&request)?;
        if let Resolution::Stale(stale) = &found {
            destination.admits(&stale.record.address, &stale.record.metadata)?;
        }
        let resolved = self.ready(&request, found).await?;
        Ok(destination.headers(&resolved)?)
    }
}
