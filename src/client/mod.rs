//! All of it as one value, for programs.

mod find;
mod headers;
mod leave;
mod list;
mod login;
mod refresh;

use crate::{
    Error,
    credential::Credential,
    login::known,
    name::Name,
    paths::Paths,
    project::Project,
    provider::{Provider, Registry},
    store::{SharedStore, Store},
};

/// What a program needs of credentials: get them, look at them, use them, remove them. For one project, whose file
/// decides on the set and the order of profiles.
///
/// What waits for a network, an engine or somebody else's renewal needs a tokio runtime with both drivers (`enable_all`).
///
/// ```
/// use authenticate::{Client, login::{How, interrupt}, paths::Paths, ui::Nobody};
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
    memory: Option<SharedStore>,
    given: Vec<(String, Credential)>,
}

impl Client {
    /// For the project `default`, with the store in the data directory. Nothing is opened or made yet.
    pub fn new(paths: Paths) -> Self {
        Self { paths, project: Name::default_name(), set: None, memory: None, given: Vec::new() }
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
        Ok(Self { memory: Some(SharedStore::new(Store::in_memory()?)), ..Self::new(paths) })
    }

    /// For another project.
    pub fn project(self, project: Name) -> Self {
        Self { project, ..self }
    }

    /// With a credential set in place of the project's.
    pub fn set(self, set: Name) -> Self {
        Self { set: Some(set), ..self }
    }

    fn credential_set(&self) -> Result<Name, Error> {
        match &self.set {
            Some(set) => Ok(set.clone()),
            None => Ok(Project::load(&self.paths.projects(), &self.project).map_err(Error::Project)?.set()),
        }
    }

    fn provider(&self, name: &str) -> Result<Provider, Error> {
        let registry = Registry::load_for(Some(&self.paths.providers()), name);
        known(&registry, name).cloned()
    }
}
