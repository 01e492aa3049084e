//! The headers of requests.

use url::Url;

use super::Client;
use crate::{
    Error,
    handout::headers::{Header, Target},
    resolve::{Lookup, Request},
};

impl Client {
    /// The headers that authorize a request to the provider's API. The credential is refreshed only after
    /// it is certain that it may be sent there.
    ///
    /// # Errors
    /// As [`Client::credential`]; [`Error::Headers`]
    pub async fn headers(&self, provider: &str) -> Result<Vec<Header>, Error> {
        self.headers_to(provider, None).await
    }

    /// The headers that authorize a request to this URL, if the credential belongs there.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// # client.login("openai", options, &mut cancel_pair().1).await?;
    /// let headers = client.headers_for("openai", &"https://api.openai.com/v1/models".parse()?).await?;
    /// assert_eq!(headers[0].name, "Authorization");
    /// assert_eq!(headers[0].value.expose(), "Bearer sk-0123456789abcdef");
    ///
    /// assert!(client.headers_for("openai", &"https://example.com/".parse()?).await.is_err());
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::headers`].
    pub async fn headers_for(&self, provider: &str, url: &Url) -> Result<Vec<Header>, Error> {
        self.headers_to(provider, Some(url)).await
    }

    async fn headers_to(&self, provider: &str, url: Option<&Url>) -> Result<Vec<Header>, Error> {
        let name = provider.to_owned();
        let known = self.blocking(move |client| client.context.provider(&name)).await?;
        let target = Target::of(&known, url)?;
        let (request, found) = self.resolve(&Request::new(provider)).await?;
        if let Lookup::Expiring(expiring) = &found {
            target.allows(&expiring.record.address, &expiring.record.metadata)?;
        }
        let fresh = self.fresh(&request, found).await?;
        Ok(target.headers(&fresh)?)
    }
}
