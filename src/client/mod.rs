//! The library as one value: the client.

mod authenticated;
mod find;
mod headers;
mod list;
mod login;
mod logout;
mod provider;
mod refresh;
pub mod refresh_all;
mod with_credential;

use std::sync::Arc;

pub use self::login::{authenticate, store_api_key};

use self::with_credential::Override;
use crate::{
    Error, blocking,
    config::Paths,
    context::Context,
    credential::{Address, Name},
    store::{SharedStore, Store},
    ui::Ui,
};

/// Gets, inspects, uses and removes credentials for one project, whose file decides on the credential set and the order of
/// profiles.
///
/// The configuration is read and the store opened once, when they are first needed, and clones share them. A new client
/// starts afresh. No `async` method blocks its caller's thread: the store and files are used, and the person is asked, on
/// threads where blocking is allowed. All `async` methods need a tokio runtime; those that use the network, an engine or a
/// time limit need its drivers, too (`enable_all`).
///
/// ```
/// use authenticate::{Client, LoginOptions, Paths, cancel_pair};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// let client = Client::in_memory(paths)?;
///
/// let options = LoginOptions { api_key: Some("sk-ant-0123456789abcdef".into()), ..LoginOptions::default() };
/// let (_handle, mut cancel) = cancel_pair();
/// client.login("anthropic", options, &mut cancel).await?;
///
/// assert!(client.is_authenticated("anthropic").await?);
/// let headers = client.headers("anthropic").await?;
/// let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
/// assert_eq!(names, ["x-api-key", "anthropic-version"]);
///
/// client.logout("anthropic", None).await?;
/// assert!(!client.is_authenticated("anthropic").await?);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    context: Context,
    set: Option<Name>,
    profile: Option<Name>,
    overrides: Vec<Override>,
}

impl Client {
    /// A client for the project `default`, with the store in the data directory. Nothing is opened or created yet.
    pub fn new(paths: Paths) -> Self {
        Self { context: Context::new(paths), set: None, profile: None, overrides: Vec::new() }
    }

    /// A client with the directories of the environment, as the command line has them.
    ///
    /// # Errors
    /// [`Error::Paths`]
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::new(Paths::from_env()?))
    }

    /// A client with a store in memory, which is lost when the last clone is dropped. Descriptors and project files are still read from
    /// the configuration directory, and a login in a container uses the data directory while it lasts.
    ///
    /// # Errors
    /// [`Error::Store`] if there is no memory for it.
    pub fn in_memory(paths: Paths) -> Result<Self, Error> {
        Ok(Self::with_store(paths, SharedStore::new(Store::in_memory()?)))
    }

    /// A client with a store of the program's own.
    ///
    /// ```
    /// # use authenticate::{Client, Paths};
    /// use authenticate::{Address, Credential, Metadata, SharedStore, Store};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let mut store = Store::in_memory()?;
    /// let key = Credential::api_key("sk-0123456789abcdef");
    /// store.put(&Address::default_profile("openai".parse()?), &key, &Metadata::default())?;
    ///
    /// let client = Client::with_store(paths, SharedStore::new(store));
    /// assert!(client.is_authenticated("openai").await?);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn with_store(paths: Paths, store: SharedStore) -> Self {
        let client = Self::new(paths);
        Self { context: client.context.with_store(store), ..client }
    }

    /// Uses another project.
    pub fn project(self, project: Name) -> Self {
        Self { context: self.context.with_project(project), ..self }
    }

    /// Uses a user interface, which asks for keys and shows the events of a login.
    pub fn ui(self, ui: Arc<dyn Ui>) -> Self {
        Self { context: self.context.with_ui(ui), ..self }
    }

    /// Uses a credential set in place of the project's.
    pub fn set(self, set: Name) -> Self {
        Self { set: Some(set), ..self }
    }

    /// Uses one profile wherever a call names a provider without a profile: that profile, never another one. By default the
    /// project's order decides which credential is used, and the default profile is logged in and out.
    ///
    /// ```
    /// # use authenticate::{Client, LoginOptions, Paths, cancel_pair};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let client = Client::in_memory(Paths::new("/nonexistent/config", "/nonexistent/data"))?;
    /// let work = client.clone().profile("work".parse()?);
    /// let options = LoginOptions { api_key: Some("sk-0123456789abcdef".into()), ..LoginOptions::default() };
    /// let record = work.login("openai", options, &mut cancel_pair().1).await?;
    /// assert_eq!(record.address.to_string(), "openai:work");
    ///
    /// let private = client.profile("private".parse()?);
    /// assert!(!private.is_authenticated("openai").await?);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn profile(self, profile: Name) -> Self {
        Self { profile: Some(profile), ..self }
    }

    fn address(&self, provider: &str) -> Result<Address, Error> {
        Ok(self.context.address(self.set.as_ref(), provider, self.profile.as_ref())?)
    }

    /// Runs `work` with a clone of the client, where blocking is allowed.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        let client = self.clone();
        blocking::run(move || work(&client)).await
    }
}
