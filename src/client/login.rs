//! Logging in.

use super::Client;
use crate::{
    Error,
    credential::{Address, Record},
    login::{CancelToken, Login, LoginOptions},
    refresh::RefreshError,
    resolve::{Request, ensure_fresh::FreshCredential},
    ui::Ui,
};

impl Client {
    /// Gets a credential and stores it, as [`crate::authenticate`] does. Set and profile are the client's, unless `how` has
    /// others.
    ///
    /// # Errors
    /// As [`crate::authenticate`].
    pub async fn login(
        &self,
        provider: &str,
        how: LoginOptions,
        ui: &dyn Ui,
        interrupt: &mut CancelToken,
    ) -> Result<Record, Error> {
        let set = how.set.or_else(|| self.set.clone());
        let profile = how.profile.or_else(|| self.profile.clone());
        let how = LoginOptions { set, profile, ..how };
        let mut login = Login::plan(&self.paths, &self.project, provider, how, ui)?;
        if let Some(store) = &self.store {
            login = login.with_store(store.clone());
        }
        login.run(ui, interrupt).await
    }

    /// Logs in to one provider after the other; `how` says how for each. One that fails does not keep the others from
    /// being tried.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let how = |provider: &str| match provider {
    ///     "openai" => How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() },
    ///     _ => How::default(),
    /// };
    /// let (_interrupter, mut interrupt) = interrupt::pair();
    /// let results = client.login_all(&["mistral", "openai"], how, &Nobody, &mut interrupt).await;
    /// let well: Vec<_> = results.iter().map(|(name, result)| (name.as_str(), result.is_ok())).collect();
    /// assert_eq!(well, [("mistral", false), ("openai", true)]);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub async fn login_all(
        &self,
        providers: &[&str],
        how: impl Fn(&str) -> LoginOptions,
        ui: &dyn Ui,
        interrupt: &mut CancelToken,
    ) -> Vec<(String, Result<Record, Error>)> {
        let mut results = Vec::new();
        for provider in providers {
            let result = self.login(provider, how(provider), ui, interrupt).await;
            results.push(((*provider).to_owned(), result));
        }
        results
    }

    /// The credential that there is, renewed if need be; or else logs in. That a vendor cannot be reached just now is no
    /// reason for a login, but an error.
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// let (_interrupter, mut interrupt) = interrupt::pair();
    /// let first = client.ensure("openai", how, &Nobody, &mut interrupt).await?;
    /// let again = client.ensure("openai", How::default(), &Nobody, &mut interrupt).await?;
    /// assert_eq!(first.credential, again.credential);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::find`], but for what a new login mends; as [`Client::login`].
    pub async fn ensure(
        &self,
        provider: &str,
        how: LoginOptions,
        ui: &dyn Ui,
        interrupt: &mut CancelToken,
    ) -> Result<FreshCredential, Error> {
        let (set, profile) = (how.set.clone(), how.profile.clone());
        let request = Request { set, profile, ..Request::new(&self.project, provider) };
        match self.find(&request).await {
            Err(error) if is_mended_by_login(&error) => {}
            found => return found,
        }
        let Address { set, profile, .. } = self.login(provider, how, ui, interrupt).await?.address;
        self.find(&Request { set: Some(set), profile: Some(profile), ..request }).await
    }
}

fn is_mended_by_login(error: &Error) -> bool {
    match error {
        Error::NoCredential { .. } | Error::Expired { .. } => true,
        Error::Refresh(error) => error.needs_login() || matches!(error, RefreshError::NotRefreshable { .. }),
        _ => false,
    }
}
