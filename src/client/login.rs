//! Logging in.

use std::sync::Arc;

use super::Client;
use crate::{
    Error,
    config::Paths,
    credential::{Address, Name, Record, Secret},
    login::{CancelToken, Login, LoginOptions},
    provider::Mode,
    refresh::RefreshError,
    resolve::{FreshCredential, Request, ResolveError},
    ui::Ui,
};

/// Gets a credential for a project and stores it: an API key goes straight into the store, a vendor's login is run by the
/// vendor's own CLI in a throwaway container. The record that is returned was read back from the store. A program that does
/// more than this uses a [`Client`].
///
/// ```
/// use std::sync::Arc;
///
/// use authenticate::{LoginOptions, Nobody, Paths, authenticate, cancel_pair};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
/// let (_handle, mut cancel) = cancel_pair();
/// let record = authenticate(paths, "demo".parse()?, "openai", options, Arc::new(Nobody), &mut cancel).await?;
/// assert_eq!(record.address.to_string(), "openai");
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
/// As [`Client::login`].
pub async fn authenticate(
    paths: Paths,
    project: Name,
    provider: &str,
    options: LoginOptions,
    ui: Arc<dyn Ui>,
    cancel: &mut CancelToken,
) -> Result<Record, Error> {
    Client::new(paths).project(project).ui(ui).login(provider, options, cancel).await
}

/// Checks an API key and stores it under the default profile of a provider, in the credential set `set` or the default one.
/// Blocks while files are read and the store is opened and unlocked; in `async` code use [`Client::login`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use authenticate::{Paths, store_api_key};
///
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// let record = store_api_key(paths.clone(), "openai", &"sk-0123456789abcdef\n".into(), None)?;
/// assert_eq!(record.credential.usable().map(|key| key.expose()), Some("sk-0123456789abcdef"));
/// assert!(store_api_key(paths, "openai", &"half-pas".into(), None).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Config`], [`Error::Login`], [`Error::Store`]
pub fn store_api_key(
    paths: Paths,
    provider: &str,
    key: &Secret,
    set: Option<&Name>,
) -> Result<Record, Error> {
    let set = Some(set.cloned().unwrap_or_else(Name::default_name));
    let (mode, api_key) = (Some(Mode::ApiKey), Some(key.clone()));
    let options = LoginOptions { mode, api_key, set, ..LoginOptions::default() };
    Ok(Login::plan(&Client::new(paths).context, provider, options)?.store_entered()?)
}

impl Client {
    /// Gets a credential and stores it. Set and profile are the client's, unless `options` has others. The
    /// [user interface](Client::ui) asks for missing input.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Login`], [`Error::Engine`], [`Error::Store`]
    pub async fn login(
        &self,
        provider: &str,
        options: LoginOptions,
        cancel: &mut CancelToken,
    ) -> Result<Record, Error> {
        let set = options.set.or_else(|| self.set.clone());
        let profile = options.profile.or_else(|| self.profile.clone());
        let options = LoginOptions { set, profile, ..options };
        let provider = provider.to_owned();
        let login = self.blocking(move |client| Login::plan(&client.context, &provider, options)).await?;
        Ok(login.run(cancel).await?)
    }

    /// Logs in to one provider after the other, with the options that `options` gives for each. The failure of one does not
    /// stop the others.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let options = |provider: &str| match provider {
    ///     "openai" => LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() },
    ///     _ => LoginOptions::default(),
    /// };
    /// let (_handle, mut cancel) = cancel_pair();
    /// let results = client.login_all(&["mistral", "openai"], options, &mut cancel).await;
    /// let results: Vec<_> = results.iter().map(|(name, result)| (name.as_str(), result.is_ok())).collect();
    /// assert_eq!(results, [("mistral", false), ("openai", true)]);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub async fn login_all(
        &self,
        providers: &[&str],
        options: impl Fn(&str) -> LoginOptions,
        cancel: &mut CancelToken,
    ) -> Vec<(String, Result<Record, Error>)> {
        let mut results = Vec::new();
        for provider in providers {
            let result = self.login(provider, options(provider), cancel).await;
            results.push(((*provider).to_owned(), result));
        }
        results
    }

    /// Finds the credential of a provider, refreshed if it is due, or else logs in. An unreachable vendor is an error, not a
    /// reason to log in.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// let (_handle, mut cancel) = cancel_pair();
    /// let first = client.ensure("openai", options, &mut cancel).await?;
    /// let again = client.ensure("openai", LoginOptions::default(), &mut cancel).await?;
    /// assert_eq!(first.credential, again.credential);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Client::find`] that a new login does not solve, and those of [`Client::login`].
    pub async fn ensure(
        &self,
        provider: &str,
        options: LoginOptions,
        cancel: &mut CancelToken,
    ) -> Result<FreshCredential, Error> {
        let (set, profile) = (options.set.clone(), options.profile.clone());
        let request = Request { set, profile, ..Request::new(provider) };
        match self.find(&request).await {
            Err(error) if is_solved_by_login(&error) => {}
            found => return found,
        }
        let Address { set, profile, .. } = self.login(provider, options, cancel).await?.address;
        self.find(&Request { set: Some(set), profile: Some(profile), ..request }).await
    }
}

fn is_solved_by_login(error: &Error) -> bool {
    match error {
        Error::Resolve(
            ResolveError::NotFound { .. } | ResolveError::Incomplete { .. } | ResolveError::Expired { .. },
        ) => true,
        Error::Refresh(error) => error.needs_login() || matches!(error, RefreshError::NotRefreshable { .. }),
        _ => false,
    }
}
