//! Refreshing.

use super::{
    Client,
    refresh_all::{Results, all_stored, refresh_stored},
};
use crate::{
    Error, ErrorKind, Record,
    refresh::{Refresh, Refreshed, accept},
    resolve::{Request, choose_stored},
};

impl Client {
    /// Refreshes the stored credential that [`Client::credential`] would use, if it is due or `force` is set. A failure is an
    /// error even if the credential has not expired.
    ///
    /// With `force` a refresh token is sent even if it was rejected, or if the outcome of its last use is unknown: the
    /// vendor may treat that as theft and end the login.
    ///
    /// ```
    /// # use authenticate::{Client, Error, RefreshError, Refreshed};
    /// async fn refresh(client: &Client) -> Result<(), Error> {
    ///     match client.refresh("codex", false).await {
    ///         Ok(Refreshed::Now(record)) => println!("lasts until {:?}", record.metadata.expires_at),
    ///         Ok(Refreshed::Earlier(_)) => println!("it was not due, or another process was quicker"),
    ///         Err(Error::Refresh(error)) if error.needs_login() => println!("log in again: {error}"),
    ///         Err(Error::Refresh(RefreshError::NotRefreshable { why, .. })) => println!("{why}"),
    ///         Err(error) => return Err(error),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Resolve`] if nothing is stored, or several accounts are and none was chosen; [`Error::Refresh`], [`Error::Config`], [`Error::Store`]
    pub async fn refresh(&self, provider: &str, force: bool) -> Result<Refreshed, Error> {
        let record = self.chosen(provider).await?;
        Ok(Refresh::now(&self.context, &record, force).await?)
    }

    /// Takes the tokens that a refresh of that credential set aside ([`RefreshError::SetAside`](crate::RefreshError::SetAside)):
    /// a person has decided that they are right.
    ///
    /// # Errors
    /// As [`Client::refresh`].
    pub async fn accept_refresh(&self, provider: &str) -> Result<Record, Error> {
        let record = self.chosen(provider).await?;
        Ok(accept(&self.context, &record.address).await?)
    }

    /// The stored credential that [`Client::credential`] would use.
    async fn chosen(&self, provider: &str) -> Result<Record, Error> {
        let provider = provider.to_owned();
        let choose = move |client: &Self| {
            let request = client.complete(&Request::new(provider));
            choose_stored(&client.context, &request)
        };
        Ok(self.blocking(choose).await?.record)
    }

    /// Refreshes the credentials in the client's set, or those of its profile. Returns a result for each that can be
    /// refreshed or cannot be read. The failure of one does not stop the others, unless the person dismisses the question
    /// for the store's passphrase: that is then the last result. For `force` see [`Client::refresh`].
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// # client.login("openai", options, &mut cancel_pair().1).await?;
    /// for (address, result) in client.refresh_all(false).await? {
    ///     match result {
    ///         Ok(refreshed) => println!("{address} lasts until {:?}", refreshed.record().metadata.expires_at),
    ///         Err(error) => println!("{address}: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]
    pub async fn refresh_all(&self, force: bool) -> Result<Results<Refreshed>, Error> {
        let all = self.blocking(|client| {
            let set = client.context.set(client.set.as_ref())?;
            Ok::<_, Error>(all_stored(&client.context, Some(&set), client.profile.as_ref())?.0)
        });
        let mut results = Results::new();
        for (address, stored) in all.await? {
            let Some(result) = refresh_stored(&self.context, stored, force).await else { continue };
            let is_interrupted = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted);
            results.push((address, result));
            if is_interrupted {
                break;
            }
        }
        Ok(results)
    }
}
