//! What there is.

use super::Client;
use crate::{
    Error,
    config::yaml::Problem,
    provider::Registry,
    status::{Filter, StatusEntry, status},
    store::{SharedStore, Unreadable},
};

impl Client {
    /// What there is for the project, and what can be done with it, without any secret. What the client was given stands in
    /// the place of what it is used instead of. For rows that are damaged beyond their names: [`Client::unreadable`].
    ///
    /// ```
    /// # use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// client.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// for entry in client.list()? {
    ///     if let Some(found) = entry.found {
    ///         println!("{} ({}): {}, {}", entry.address, entry.label, found.kind, found.state);
    ///     }
    /// }
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub fn list(&self) -> Result<Vec<StatusEntry>, Error> {
        self.entries(Filter::default())
    }

    /// The same, and every other provider that is known.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn list_all(&self) -> Result<Vec<StatusEntry>, Error> {
        self.entries(Filter { all: true, ..Filter::default() })
    }

    /// The same of one provider: an entry for each of its accounts, or one that says that there is none.
    ///
    /// ```
    /// # use authenticate::{Client, Error, config::Paths};
    /// # fn main() -> Result<(), Error> {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let status = client.status("gemini")?;
    /// assert_eq!((status.len(), status[0].label.as_str()), (1, "Gemini CLI"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::list`]; [`Error::UnknownProvider`], [`Error::Descriptor`]
    pub fn status(&self, provider: &str) -> Result<Vec<StatusEntry>, Error> {
        let registry = Registry::load_one(&self.paths, provider);
        let name = self.address(&registry, provider)?.provider;
        let entries = self.entries(Filter { provider: Some(name), ..Filter::default() })?;
        if entries.is_empty() {
            registry.usable(provider)?;
        }
        Ok(entries)
    }

    /// What is wrong with descriptors and the project's file: what is there is left out, and what uses it is an error.
    ///
    /// ```
    /// # use authenticate::{Client, config::Paths};
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
        let mut problems = Registry::load_all(&self.paths).problems().to_vec();
        if let Err(Error::Project(more)) = self.project_file() {
            problems.extend(more);
        }
        problems
    }

    /// Rows of which nobody can tell whose they are: they are in no list, of whichever set.
    /// [`Store::remove_unreadable`](crate::store::Store::remove_unreadable) removes one.
    ///
    /// ```
    /// # use authenticate::{Client, Error, config::Paths};
    /// # fn main() -> Result<(), Error> {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// for row in client.unreadable()? {
    ///     eprintln!("{row}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn unreadable(&self) -> Result<Vec<Unreadable>, Error> {
        let store = SharedStore::open_existing(self.store.as_ref(), &self.paths)?;
        let listing = store.map(|store| store.lock().listing(None)).transpose()?.unwrap_or_default();
        Ok(listing.unreadable.into_iter().filter(|row| row.address.is_none()).collect())
    }

    /// In the client's set and of its profile, if it has one.
    fn entries(&self, filter: Filter) -> Result<Vec<StatusEntry>, Error> {
        let set = self.credential_set()?;
        let registry = Registry::load_all(&self.paths);
        let filter = Filter { set: Some(set.clone()), profile: self.profile.clone(), ..filter };
        let store = SharedStore::open_existing(self.store.as_ref(), &self.paths)?;
        let found = status(store.as_ref().map(SharedStore::lock).as_deref(), &registry, &filter)?;
        Ok(self.add_overrides(found.entries, &filter, &set, &registry))
    }
}
