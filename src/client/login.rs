//! Logging in.

use super::Client;
use crate::{
    Error,
    credential::Record,
    login::{How, Interrupt, Login},
    ui::Ui,
};

impl Client {
    /// Gets a credential and stores it, as [`crate::authenticate`] does. The set is the client's, unless `how` has one.
    ///
    /// # Errors
    /// As [`crate::authenticate`].
    pub async fn login(
        &self,
        provider: &str,
        how: How,
        ui: &dyn Ui,
        interrupt: &mut Interrupt,
    ) -> Result<Record, Error> {
        let how = How { set: how.set.or_else(|| self.set.clone()), ..how };
        let mut login = Login::plan(&self.paths, &self.project, provider, how, ui)?;
        if let Some(store) = &self.store {
            login = login.keep_in(store.clone());
        }
        login.run(ui, interrupt).await
    }

    /// Logs in to one provider after the other; `how` says how for each. One that fails does not keep the others from
    /// being tried.
    pub async fn login_all(
        &self,
        providers: &[&str],
        how: impl Fn(&str) -> How,
        ui: &dyn Ui,
        interrupt: &mut Interrupt,
    ) -> Vec<(String, Result<Record, Error>)> {
        let mut results = Vec::new();
        for provider in providers {
            let result = self.login(provider, how(provider), ui, interrupt).await;
            results.push(((*provider).to_owned(), result));
        }
        results
    }
}
