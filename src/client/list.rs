//! The status of credentials.

use super::Client;
use crate::{
    Error,
    config::yaml::Problem,
    context::ConfigError,
    status::{Filter, StatusEntry, status},
    store::Unreadable,
};

impl Client {
    /// The status of the credentials in the client's set, or of its profile, without secrets. A credential that the client was
    /// given is listed in place of the one that it replaces. For rows with no valid address, see [`Client::unreadable`].
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// client.login("openai", options, &mut cancel_pair().1).await?;
    /// for entry in client.list().await? {
    ///     if let Some(details) = entry.details {
    ///         println!("{} ({}): {}, {}", entry.address, entry.label, details.kind, details.state);
    ///     }
    /// }
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Store`]
    pub async fn list(&self) -> Result<Vec<StatusEntry>, Error> {
        self.blocking(|client| client.entries(Filter::default())).await
    }

    /// The status of the same credentials and of every other known provider.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn list_all(&self) -> Result<Vec<StatusEntry>, Error> {
        self.blocking(|client| client.entries(Filter { all: true, ..Filter::default() })).await
    }

    /// The status of one provider: an entry for each of its accounts, or one that says that there is none.
    ///
    /// ```
    /// # use authenticate::{Client, Paths};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let status = client.status("gemini").await?;
    /// assert_eq!((status.len(), status[0].label.as_str()), (1, "Gemini CLI"));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn status(&self, provider: &str) -> Result<Vec<StatusEntry>, Error> {
        let provider = provider.to_owned();
        self.blocking(move |client| {
            let name = client.address(&provider)?.provider;
            let entries = client.entries(Filter { provider: Some(name), ..Filter::default() })?;
            if entries.is_empty() {
                client.context.provider(&provider)?;
            }
            Ok(entries)
        })
        .await
    }

    /// The problems of descriptors and of the project's file. A wrong file is left out; using it is an error. Blocks
    /// while configuration files are read.
    ///
    /// ```
    /// # use authenticate::{Client, Paths};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
    /// std::fs::create_dir_all(paths.providers())?;
    /// std::fs::write(paths.providers().join("acme.yaml"), "labl: Acme\n")?;
    /// let problems = Client::new(paths).problems();
    /// assert!(problems[0].to_string().contains("acme.yaml:1:1"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.context.registry().problems().to_vec();
        if let Err(ConfigError::Project(more)) = self.context.project() {
            problems.extend(more);
        }
        problems
    }

    /// The stored rows with no valid address, which no other list contains.
    /// [`Store::remove_unreadable`](crate::Store::remove_unreadable) removes one.
    ///
    /// ```
    /// # use authenticate::{Client, Paths};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// for row in client.unreadable().await? {
    ///     eprintln!("{row}");
    /// }
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]
    pub async fn unreadable(&self) -> Result<Vec<Unreadable>, Error> {
        self.blocking(|client| {
            let Some(store) = client.context.existing_store()? else { return Ok(Vec::new()) };
            let listing = store.lock().listing(None)?;
            Ok(listing.unreadable.into_iter().filter(|row| row.address.is_none()).collect())
        })
        .await
    }

    /// The entries in the client's set and of its profile, if it has one.
    fn entries(&self, filter: Filter) -> Result<Vec<StatusEntry>, Error> {
        let set = self.context.set(self.set.as_ref())?;
        let filter = Filter { set: Some(set.clone()), profile: self.profile.clone(), ..filter };
        let entries = status(&self.context, &filter)?.entries;
        Ok(self.add_overrides(entries, &filter, &set))
    }
}
