//! Renewing.

use super::Client;
use crate::{
    Error,
    config::Project,
    provider::Registry,
    refresh::Refreshed,
    refresh_all::{RefreshAll, Results},
    resolve::Request,
    ui::Nobody,
};

impl Client {
    /// Renews a provider's stored credential if it is due, or in any case with `force`: the one that [`Client::credential`]
    /// would take. That it was not renewed is an error, also while it lasts.
    ///
    /// With `force` a token is sent that was refused, or of which it is not known what became of it: the vendor may take
    /// that for a theft and end the login.
    ///
    /// ```
    /// # use authenticate::{Client, Error, refresh::{RefreshError, Renewed}};
    /// async fn renew(client: &Client) -> Result<(), Error> {
    ///     match client.refresh("codex", false).await {
    ///         Ok(Renewed::Now(record)) => println!("lasts until {:?}", record.metadata.expires_at),
    ///         Ok(Renewed::Before(_)) => println!("it was not due, or somebody else was quicker"),
    ///         Err(Error::Refresh(error)) if error.needs_login() => println!("log in again: {error}"),
    ///         Err(Error::Refresh(RefreshError::NotRenewable { why, .. })) => println!("{why}"),
    ///         Err(error) => return Err(error),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoCredential`] when nothing is stored there, [`Error::UnknownProvider`], [`Error::Refresh`],
    /// [`Error::Project`], [`Error::Store`]
    pub async fn refresh(&self, provider: &str, force: bool) -> Result<Refreshed, Error> {
        let registry = Registry::load_one(&self.paths, provider);
        let project = self.project_file()?;
        let renewals = self.renewals(&registry, &project, force);
        let request = self.complete(&Request::new(&self.project, provider));
        renewals.refresh(&renewals.choose(&request)?).await
    }

    /// The same for all of the project's set that can be renewed, and a result for each: one that fails does not keep the
    /// others from being tried.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// # let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// # client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// for (address, result) in client.refresh_all(false).await? {
    ///     match result {
    ///         Ok(renewed) => println!("{address} lasts until {:?}", renewed.record().metadata.expires_at),
    ///         Err(error) => println!("{address}: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn refresh_all(&self, force: bool) -> Result<Results<Refreshed>, Error> {
        let registry = Registry::load_all(&self.paths);
        let (project, set) = (self.project_file()?, self.credential_set()?);
        let renewals = self.renewals(&registry, &project, force);
        let (all, _) = renewals.all_stored(Some(&set), self.profile.as_ref())?;
        let mut results = Results::new();
        renewals.refresh_each(all, &mut results).await?;
        Ok(results)
    }

    fn renewals<'a>(&'a self, registry: &'a Registry, project: &'a Project, force: bool) -> RefreshAll<'a> {
        let store = self.store.as_ref();
        RefreshAll { paths: &self.paths, store, registry, project, ui: &Nobody, force }
    }
}
