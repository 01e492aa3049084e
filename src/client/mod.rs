//! All of it as one value, for programs.

mod authenticated;
mod find;
mod headers;
mod list;
mod login;
mod logout;
mod provider;
mod refresh;
mod with_credential;

use self::with_credential::Override;
use crate::{
    Error,
    config::{Paths, Project},
    credential::{Address, Name},
    provider::{Provider, Registry},
    resolve::request::address_of,
    store::{SharedStore, Store},
};

/// What a program needs of credentials: get them, look at them, use them, remove them. For one project, whose file
/// decides on the set and the order of profiles.
///
/// What waits for a network, an engine or somebody else's renewal needs a tokio runtime with both drivers (`enable_all`).
///
/// ```
/// use authenticate::{Client, login::{How, cancel}, config::Paths, ui::Nobody};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// let client = Client::in_memory(paths)?;
///
/// let how = How { api_key: Some("sk-ant-0123456789abcdef".into()), ..How::default() };
/// let (_interrupter, mut interrupt) = interrupt::pair();
/// client.login("anthropic", how, &Nobody, &mut interrupt).await?;
///
/// assert!(client.is_authenticated("anthropic")?);
/// let headers = client.headers("anthropic").await?;
/// let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
/// assert_eq!(names, ["x-api-key", "anthropic-version"]);
///
/// client.logout("anthropic", None).await?;
/// assert!(!client.is_authenticated("anthropic")?);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    paths: Paths,
    project: Name,
    set: Option<Name>,
    profile: Option<Name>,
    store: Option<SharedStore>,
    given: Vec<Override>,
}

impl Client {
    /// For the project `default`, with the store in the data directory. Nothing is opened or made yet.
    pub fn new(paths: Paths) -> Self {
        let (set, profile, store) = (None, None, None);
        Self { paths, project: Name::default_name(), set, profile, store, given: Vec::new() }
    }

    /// With the directories of the environment, as the command line has them.
    ///
    /// # Errors
    /// [`Error::Paths`]
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::new(Paths::from_env()?))
    }

    /// With a store in memory, which ends with the last clone of the value. Descriptors and project files are read from
    /// the configuration directory all the same; a login in a container uses the data directory while it lasts.
    ///
    /// # Errors
    /// [`Error::Store`] when there is no memory for it.
    pub fn in_memory(paths: Paths) -> Result<Self, Error> {
        Ok(Self::with_store(paths, SharedStore::new(Store::in_memory()?)))
    }

    /// With a store that the program has already: one in memory with credentials in it, say.
    ///
    /// ```
    /// # use authenticate::{Client, Error, config::Paths};
    /// use authenticate::{
    ///     credential::{Credential, Metadata},
    ///     name::Address,
    ///     store::{SharedStore, Store},
    /// };
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let mut store = Store::in_memory()?;
    /// let key = Credential::api_key("sk-0123456789abcdef");
    /// store.put(&Address::of("openai".parse()?), &key, &Metadata::default())?;
    ///
    /// let client = Client::with_store(paths, SharedStore::new(store));
    /// assert!(client.is_authenticated("openai")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_store(paths: Paths, store: SharedStore) -> Self {
        Self { store: Some(store), ..Self::new(paths) }
    }

    /// For another project.
    pub fn project(self, project: Name) -> Self {
        Self { project, ..self }
    }

    /// With a credential set in place of the project's.
    pub fn set(self, set: Name) -> Self {
        Self { set: Some(set), ..self }
    }

    /// With the account of this profile, wherever a provider is named and nothing else says which: that one or none. Without
    /// one, the project's order decides what is used, and what is renewed, logged out and stored is the default profile.
    ///
    /// ```
    /// # use authenticate::{Client, Error, login::{How, cancel}, config::Paths, ui::Nobody};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let work = client.clone().profile("work".parse()?);
    /// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
    /// let record = work.login("openai", how, &Nobody, &mut interrupt::pair().1).await?;
    /// assert_eq!(record.address.to_string(), "openai:work");
    ///
    /// let private = client.profile("private".parse()?);
    /// assert!(!private.is_authenticated("openai")?);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn profile(self, profile: Name) -> Self {
        Self { profile: Some(profile), ..self }
    }

    fn project_file(&self) -> Result<Project, Error> {
        Project::load(&self.paths.projects(), &self.project).map_err(Error::Project)
    }

    fn credential_set(&self) -> Result<Name, Error> {
        match &self.set {
            Some(set) => Ok(set.clone()),
            None => Ok(self.project_file()?.set()),
        }
    }

    fn address(&self, registry: &Registry, provider: &str) -> Result<Address, Error> {
        address_of(registry, self.credential_set()?, provider, self.profile.as_ref())
    }

    fn known(&self, name: &str) -> Result<Provider, Error> {
        let registry = Registry::load_one(&self.paths, name);
        Ok(registry.usable(name)?.clone())
    }
}
