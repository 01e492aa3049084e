//! Getting a credential: straight into the store, or through the vendor's own CLI in a throwaway container.

mod audit;
pub mod cancel;
pub mod cli;
mod deadline;
pub mod direct;
pub mod error;
pub mod import;
mod mode;
pub mod oauth;
pub mod record;
mod store;

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;

pub use cancel::{CancelHandle, CancelToken};
pub use direct::{field_input::FieldInput, fields::FieldsError};
pub use error::{Ending, LoginError};

use crate::{
    config::{Paths, Project},
    credential::{Address, Credential, Metadata, Name, Record, Secret},
    engine::EngineSelector,
    error::Error,
    provider::{Mode, Provider, Registry},
    store::{Action, SharedStore, Store},
    ui::{Event, Ui},
};

/// How a login is to be made. What is left out is decided by the project, the provider or the person.
#[derive(Clone, Debug, Default)]
pub struct LoginOptions {
    /// The mode.
    pub mode: Option<Mode>,
    /// The key, for mode `api_key`.
    pub api_key: Option<Secret>,
    /// The bearer token, for mode `token`.
    pub token: Option<Secret>,
    /// When the key or token stops working.
    pub expires_at: Option<Timestamp>,
    /// The fields, for the modes `fields` and `basic`.
    pub fields: FieldInput,
    /// Store a key that only the provider's pattern objects to.
    pub force: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
    /// The image, in place of the project's and the provider's.
    pub image: Option<String>,
    /// The engine, in place of the project's.
    pub engine: Option<EngineSelector>,
    /// The certificates to trust, in place of the project's.
    pub ca_bundle: Option<PathBuf>,
    /// Use the provider's `headless_command`, as if no browser could come back.
    pub headless: bool,
    /// The time limit. Default: [`cli::DEFAULT_LIMIT`].
    pub timeout: Option<Duration>,
}

/// Gets a credential for a project and stores it: an API key goes straight into the store, a vendor's login is run by
/// the vendor's own CLI in a throwaway container. What `how` leaves open is asked of `ui`.
///
/// What is returned was read back from the store.
///
/// ```
/// use authenticate::{login::{self, How}, config::Paths, ui::Nobody};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
/// let (_interrupter, mut interrupt) = login::interrupt::pair();
/// let record = authenticate::authenticate(&paths, &"demo".parse()?, "openai", how, &Nobody, &mut interrupt).await?;
/// assert_eq!(record.address.to_string(), "openai");
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
/// As [`Login::plan`], [`Login::store_key`] and [`Login::run_vendor_cli`].
pub async fn authenticate(
    paths: &Paths,
    project: &Name,
    provider: &str,
    options: LoginOptions,
    ui: &dyn Ui,
    interrupt: &mut CancelToken,
) -> Result<Record, Error> {
    Login::plan(paths, project, provider, options, ui)?.run(ui, interrupt).await
}

/// Checks an API key and stores it under the default profile of a provider, in a credential set or the default one.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use authenticate::config::Paths;
///
/// # let directory = tempfile::tempdir()?;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// let record = authenticate::store_api_key(&paths, "openai", &"sk-0123456789abcdef\n".into(), None)?;
/// assert_eq!(record.credential.usable().map(|key| key.expose()), Some("sk-0123456789abcdef"));
/// assert!(authenticate::store_api_key(&paths, "openai", &"half-pas".into(), None).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::UnknownProvider`], [`Error::Descriptor`], [`LoginError::NoSuchMode`] for a provider without API keys,
/// [`LoginError::BadKey`], [`Error::Store`]
pub fn store_api_key(
    paths: &Paths,
    provider: &str,
    key: &Secret,
    set: Option<&Name>,
) -> Result<Record, Error> {
    let registry = Registry::load_one(paths, provider);
    let provider = registry.usable(provider)?;
    has_mode(provider, Mode::ApiKey)?;
    let set = set.cloned().unwrap_or_else(Name::default_name);
    let address = Address { set, ..Address::default_profile(provider.name.parse()?) };
    let key = direct::api_key::check(provider, key, false)
        .inspect_err(|error| audit::audit_failure(paths, None, Action::Login, &address, error.code()))?;
    Ok(Store::open(paths)?.put(&address, &Credential::ApiKey { key }, &Metadata::default())?)
}

/// A login that is decided on and not yet begun.
#[derive(Debug)]
pub struct Login {
    paths: Paths,
    project: Project,
    provider: Provider,
    address: Address,
    mode: Mode,
    how: LoginOptions,
    store: Option<SharedStore>,
}

impl Login {
    /// Decides what is to be done, asking for the mode if need be. Nothing is attempted yet.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::Descriptor`], [`Error::Project`], [`LoginError::NoSuchMode`],
    /// [`LoginError::UnexpectedInput`], [`LoginError::NotImplemented`], [`LoginError::Ui`]
    pub fn plan(
        paths: &Paths,
        project: &Name,
        provider: &str,
        how: LoginOptions,
        ui: &dyn Ui,
    ) -> Result<Self, Error> {
        let registry = Registry::load_one(paths, provider);
        let provider = registry.usable(provider)?.clone();
        for problem in registry.problems() {
            ui.show(Event::Warning(&problem.to_string()));
        }
        let project = Project::load(&paths.projects(), project).map_err(Error::Project)?;
        let mode = choose_mode(&provider, &how, ui)?;
        let address = Address {
            set: how.set.clone().unwrap_or_else(|| project.set()),
            provider: provider.name.parse()?,
            profile: how.profile.clone().unwrap_or_else(Name::default_name),
        };
        Ok(Self { paths: paths.clone(), project, provider, address, mode, how, store: None })
    }

    /// With a store in place of the one in the data directory.
    pub fn with_store(self, store: SharedStore) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Does what was decided on.
    ///
    /// # Errors
    /// As [`Login::store_key`], [`Login::store_fields`], [`Login::run_oauth_flow`] and [`Login::run_vendor_cli`].
    pub async fn run(&self, ui: &dyn Ui, interrupt: &mut CancelToken) -> Result<Record, Error> {
        match self.mode {
            Mode::ApiKey | Mode::Token => self.store_key(ui),
            Mode::Basic | Mode::Fields => self.store_fields(ui),
            native if Mode::OAUTH_FLOWS.contains(&native) => self.run_oauth_flow(ui, interrupt).await,
            _ => self.run_vendor_cli(ui, interrupt).await,
        }
    }

    /// The mode decided on.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Where the credential goes.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Stores a key or token: the one that was given, or one that is asked for. Modes `api_key` and `token` only.
    ///
    /// # Errors
    /// [`LoginError::BadKey`], [`LoginError::Ui`], [`Error::Store`]
    pub fn store_key(&self, ui: &dyn Ui) -> Result<Record, Error> {
        self.audited(self.key(ui))
    }

    fn key(&self, ui: &dyn Ui) -> Result<Record, Error> {
        let metadata = Metadata { expires_at: self.how.expires_at, ..Metadata::default() };
        if self.mode == Mode::Token {
            let prompt = format!("Bearer token for {}", self.provider.label);
            let raw = match &self.how.token {
                Some(token) => token.clone(),
                None => ui.ask_secret(&prompt, None).map_err(LoginError::Ui)?,
            };
            let token = direct::token::check(&self.provider, &raw)?;
            return self.put(&Credential::Token { token }, &metadata);
        }
        let raw = match &self.how.api_key {
            Some(key) => key.clone(),
            None => {
                let prompt = format!("API key for {}", self.provider.label);
                let key_url = self.provider.api_key.as_ref().and_then(|k| k.key_url.as_deref());
                ui.ask_secret(&prompt, self.provider.api_key_hint.as_deref().or(key_url))
                    .map_err(LoginError::Ui)?
            }
        };
        let key = direct::api_key::check(&self.provider, &raw, self.how.force)?;
        self.put(&Credential::ApiKey { key }, &metadata)
    }

    /// Stores fields: those that were given, and those that are asked for. Modes `basic` and `fields` only.
    ///
    /// # Errors
    /// [`LoginError::Fields`], [`LoginError::Ui`], [`Error::Store`]
    pub fn store_fields(&self, ui: &dyn Ui) -> Result<Record, Error> {
        let credential = direct::fields::credential(&self.provider, self.mode, &self.how.fields, ui);
        let credential = credential.map_err(Error::from);
        self.audited(credential.and_then(|credential| self.put(&credential, &Metadata::default())))
    }

    /// Speaks to the authorization server itself, and stores what that gives. The modes of [`Mode::OAUTH_FLOWS`] only.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run_oauth_flow(&self, ui: &dyn Ui, interrupt: &mut CancelToken) -> Result<Record, Error> {
        let login = oauth::OAuthLogin {
            paths: &self.paths,
            provider: &self.provider,
            project: &self.project,
            address: &self.address,
            mode: self.mode,
            how: &self.how,
            store: self.store.as_ref(),
            ui,
        };
        self.audited(login.run(interrupt).await.map_err(Error::from))
    }

    /// Runs the vendor's CLI in a container and stores what it left. Mode `oauth` only.
    ///
    /// # Errors
    /// [`Error::Reference`], and any [`LoginError`].
    pub async fn run_vendor_cli(&self, ui: &dyn Ui, interrupt: &mut CancelToken) -> Result<Record, Error> {
        // Before anything else: nothing is begun that a missing variable would end.
        let (provider, project) = (self.provider.with_values()?, self.project.with_values()?);
        let login = cli::ContainerLogin {
            paths: &self.paths,
            provider: &provider,
            project: &project,
            address: &self.address,
            how: &self.how,
            store: self.store.as_ref(),
            ui,
        };
        let mut opened = self.store.clone();
        let done = login.run(&mut opened, interrupt).await;
        self.audited_in(opened.as_ref(), done.map_err(Error::from))
    }

    /// A login that fails is recorded, too.
    fn audited(&self, done: Result<Record, Error>) -> Result<Record, Error> {
        self.audited_in(self.store.as_ref(), done)
    }

    fn audited_in(&self, store: Option<&SharedStore>, done: Result<Record, Error>) -> Result<Record, Error> {
        done.inspect_err(|error| match error {
            Error::Login(unbegun) if unbegun.is_before_start() => {}
            error => audit::audit_failure(&self.paths, store, Action::Login, &self.address, error.code()),
        })
    }

    /// Stores a credential and reads it back.
    fn put(&self, credential: &Credential, metadata: &Metadata) -> Result<Record, Error> {
        Ok(match &self.store {
            Some(store) => store.lock().put(&self.address, credential, metadata)?,
            None => Store::open(&self.paths)?.put(&self.address, credential, metadata)?,
        })
    }
}

fn has_mode(provider: &Provider, mode: Mode) -> Result<Mode, LoginError> {
    if provider.modes.contains(&mode) {
        return Ok(mode);
    }
    let needs_client = provider.flow(mode).is_some_and(|flow| flow.client_id.is_none());
    Err(LoginError::NoSuchMode {
        provider: provider.name.clone(),
        mode,
        has: provider.modes.clone(),
        needs_client,
    })
}

fn choose_mode(provider: &Provider, how: &LoginOptions, ui: &dyn Ui) -> Result<Mode, LoginError> {
    let given = mode::infer(provider, how);
    let mode = match (how.mode.or(given), provider.modes.as_slice()) {
        (Some(mode), _) => has_mode(provider, mode)?,
        (None, [only]) => *only,
        (None, several) => ui.choose_mode(provider, several)?,
    };
    mode::validate_inputs(mode, how)
}
