//! The headers of requests.

use url::Url;

use super::Client;
use crate::{
    Error,
    handout::headers::{Header, headers},
};

impl Client {
    /// The headers that authorise a request to the provider's API.
    ///
    /// # Errors
    /// As [`Client::credential`]; [`Error::Headers`]
    pub async fn headers(&self, provider: &str) -> Result<Vec<Header>, Error> {
        let resolved = self.credential(provider).await?;
        let provider = self.provider(provider)?;
        Ok(headers(&provider, &resolved, None)?)
    }

    /// The headers that authorise a request to this URL, if the credential belongs there.
    ///
    /// # Errors
    /// As [`Client::headers`].
    pub async fn headers_for(&self, provider: &str, url: &Url) -> Result<Vec<Header>, Error> {
        let resolved = self.credential(provider).await?;
        let provider = self.provider(provider)?;
        Ok(headers(&provider, &resolved, Some(url))?)
    }
}
