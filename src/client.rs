//! All of it as one value, for programs.

use url::Url;

use crate::{
    Error,
    credential::{Credential, Record},
    handout::headers::{Header, headers},
    lifecycle::{
        alive,
        leave::{Leave, Left, leave},
        overview::{Entry, Filter, overview},
        resolve::{Request, Resolution, Resolved, Source, Stale, look_in, resolve, resolve_in},
    },
    login::{How, Interrupt, Login},
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::{Provider, Registry},
    store::{SharedStore, Store},
    ui::{Nobody, Ui},
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

    /// With a credential that is used for a provider in place of any other. It is stored nowhere.
    ///
    /// ```
    /// # use authenticate::{Client, credential::Credential, lifecycle::resolve::Source, paths::Paths};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let paths = Paths::new("/nonexistent/config", "/nonexistent/data");
    /// let client = Client::new(paths).give("openai", Credential::api_key("sk-for-this-run"))?;
    /// let found = client.credential("openai").await?;
    /// assert_eq!(found.source, Source::Override);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownProvider`]
    pub fn give(mut self, provider: &str, credential: Credential) -> Result<Self, Error> {
        let name = self.provider(provider)?.name.clone();
        self.given.retain(|(known, _)| *known != name);
        self.given.push((name, credential));
        Ok(self)
    }

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
        if let Some(store) = &self.memory {
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

    /// Revokes a credential at its vendor and removes it from the store, whether or not that works; of the default
    /// profile, if none is named.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::NoCredential`], [`Error::Refresh`], [`Error::Store`]
    pub async fn logout(&self, provider: &str, profile: Option<&Name>) -> Result<Left, Error> {
        // A credential outlives its descriptor.
        let name: Name = match self.provider(provider) {
            Ok(known) => known.name.parse()?,
            Err(error) => provider.parse().map_err(|_| error)?,
        };
        let profile = profile.cloned().unwrap_or_else(Name::default_name);
        let address = Address { set: self.credential_set()?, provider: name, profile };
        self.leave(&address).await
    }

    async fn leave(&self, address: &Address) -> Result<Left, Error> {
        let registry = Registry::load_for(Some(&self.paths.providers()), address.provider.as_str());
        let provider = registry.sound(address.provider.as_str());
        let project = Project::load(&self.paths.projects(), &self.project).map_err(Error::Project)?;
        leave(&self.paths, self.memory.as_ref(), provider, &project, address, Leave::Logout).await
    }

    /// The same for all credentials of the project's set. One that fails does not keep the others from being tried.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn logout_all(&self) -> Result<Vec<(Address, Result<Left, Error>)>, Error> {
        let mut results = Vec::new();
        for entry in self.list()? {
            let is_stored = entry.found.is_some_and(|found| found.source == Source::Stored);
            if is_stored || entry.unreadable.is_some() {
                let left = self.leave(&entry.address).await;
                results.push((entry.address, left));
            }
        }
        Ok(results)
    }

    /// What there is for the project, and what can be done with it, without any secret.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub fn list(&self) -> Result<Vec<Entry>, Error> {
        self.entries(false)
    }

    /// The same, and every other provider that is known.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn list_all(&self) -> Result<Vec<Entry>, Error> {
        self.entries(true)
    }

    /// Whether there is a credential that can be used, perhaps after it was renewed. A provider that needs none is not
    /// authenticated by that.
    ///
    /// # Errors
    /// As [`resolve`], but for [`Error::NoCredential`] and [`Error::Expired`], which are no.
    pub fn is_authenticated(&self, provider: &str) -> Result<bool, Error> {
        match self.look(&self.request(provider)?) {
            Ok(_) => Ok(true),
            Err(Error::NoCredential { .. } | Error::Expired { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The credential of a provider.
    ///
    /// # Errors
    /// As [`resolve`].
    pub async fn credential(&self, provider: &str) -> Result<Resolved, Error> {
        self.find(&self.request(provider)?).await
    }

    /// The credential that is asked for in so many words. The client's own set and what it was given do not count.
    ///
    /// # Errors
    /// As [`resolve`].
    pub async fn find(&self, request: &Request) -> Result<Resolved, Error> {
        match self.resolve(request)? {
            Resolution::Ready(resolved) => Ok(resolved),
            Resolution::Stale(stale) => self.freshen(request, stale).await,
        }
    }

    /// Renews a provider's credential if it is about to expire, and returns what is then there.
    ///
    /// # Errors
    /// As [`Client::credential`].
    pub async fn refresh(&self, provider: &str) -> Result<Resolved, Error> {
        self.credential(provider).await
    }

    /// The same for all of the project's set that can be renewed. One that fails does not keep the others from being
    /// tried.
    ///
    /// # Errors
    /// [`Error::Project`], [`Error::Store`]
    pub async fn refresh_all(&self) -> Result<Vec<(Address, Result<Resolved, Error>)>, Error> {
        let mut results = Vec::new();
        let is_due = |entry: &Entry| {
            entry.unreadable.is_some() || entry.found.as_ref().is_some_and(|found| found.refreshable)
        };
        for entry in self.list()?.into_iter().filter(is_due) {
            let Address { set, provider, profile } = entry.address.clone();
            let request = Request {
                set: Some(set),
                profile: Some(profile),
                ..Request::new(&self.project, provider.as_str())
            };
            results.push((entry.address, self.find(&request).await));
        }
        Ok(results)
    }

    /// The headers that authorise a request to the provider's API.
    ///
    /// # Errors
    /// As [`Client::credential`]; [`Error::Headers`]
    pub async fn headers(&self, provider: &str) -> Result<Vec<Header>, Error> {
        let resolved = self.credential(provider).await?;
        let provider = self.provider(provider)?;
        Ok(headers(&provider, &resolved, None)?)
    }

    /// The headers that authorise a request to this URL, if the credential belongs there.
    ///
    /// # Errors
    /// As [`Client::headers`].
    pub async fn headers_for(&self, provider: &str, url: &Url) -> Result<Vec<Header>, Error> {
        let resolved = self.credential(provider).await?;
        let provider = self.provider(provider)?;
        Ok(headers(&provider, &resolved, Some(url))?)
    }

    /// The one place where a stale credential is made fresh.
    async fn freshen(&self, request: &Request, stale: Stale) -> Result<Resolved, Error> {
        Ok(alive::keep(&self.paths, self.memory.as_ref(), request, stale, &Nobody).await?.resolved)
    }

    fn request(&self, provider: &str) -> Result<Request, Error> {
        let mut request = Request { set: self.set.clone(), ..Request::new(&self.project, provider) };
        if !self.given.is_empty() {
            let name = self.provider(provider)?.name.clone();
            request.given =
                self.given.iter().find(|(known, _)| *known == name).map(|(_, given)| given.clone());
        }
        Ok(request)
    }

    fn resolve(&self, request: &Request) -> Result<Resolution, Error> {
        match &self.memory {
            Some(store) => resolve_in(Some(&store.lock()), &self.paths, request),
            None => resolve(&self.paths, request),
        }
    }

    /// As [`Client::resolve`], for who does not want the secret.
    fn look(&self, request: &Request) -> Result<Resolution, Error> {
        match &self.memory {
            Some(store) => look_in(Some(&store.lock()), &self.paths, request),
            None => look_in(Store::open_existing(&self.paths)?.as_ref(), &self.paths, request),
        }
    }

    fn entries(&self, all: bool) -> Result<Vec<Entry>, Error> {
        let registry = Registry::load(Some(&self.paths.providers()));
        let filter = Filter { set: Some(self.credential_set()?), all, ..Filter::default() };
        match &self.memory {
            Some(store) => Ok(overview(Some(&store.lock()), &registry, &filter)?.entries),
            None => Ok(overview(Store::open_existing(&self.paths)?.as_ref(), &registry, &filter)?.entries),
        }
    }

    fn credential_set(&self) -> Result<Name, Error> {
        match &self.set {
            Some(set) => Ok(set.clone()),
            None => Ok(Project::load(&self.paths.projects(), &self.project).map_err(Error::Project)?.set()),
        }
    }

    fn provider(&self, name: &str) -> Result<Provider, Error> {
        let registry = Registry::load_for(Some(&self.paths.providers()), name);
        Ok(registry.sound(name)?.clone())
    }
}
