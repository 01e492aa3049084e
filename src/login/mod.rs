//! Getting a credential: straight into the store, or through the vendor's own CLI in a throwaway container.

pub mod api_key;
pub mod callback;
pub mod container;
pub mod dir;
pub mod error;
pub mod interrupt;
pub mod lock;
pub mod renewal;
pub mod session;
pub mod sweep;
mod until;
pub mod url_finder;

use std::{path::PathBuf, time::Duration};

pub use error::{Ending, LoginError};
pub use interrupt::{Interrupt, Interrupter};

use crate::{
    credential::Record,
    engine::Choice,
    error::Error,
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::{Mode, Provider, Registry},
    secret::Secret,
    ui::{Event, Ui},
};

/// How a login is to be made. What is left out is decided by the project, the provider or the person.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// The mode.
    pub mode: Option<Mode>,
    /// The key, for mode `api_key`.
    pub api_key: Option<Secret>,
    /// Store a key that only the provider's pattern objects to.
    pub force: bool,
    /// The credential set, in place of the project's.
    pub set: Option<Name>,
    /// The profile.
    pub profile: Option<Name>,
    /// The image, in place of the project's and the provider's.
    pub image: Option<String>,
    /// The engine, in place of the project's.
    pub engine: Option<Choice>,
    /// The certificates to trust, in place of the project's.
    pub ca_bundle: Option<PathBuf>,
    /// Use the provider's `headless_command`, as if no browser could come back.
    pub headless: bool,
    /// The time limit. Default: [`container::DEFAULT_LIMIT`].
    pub timeout: Option<Duration>,
}

/// Gets a credential for a project and stores it: an API key goes straight into the store, a vendor's login is run by
/// the vendor's own CLI in a throwaway container. What `how` leaves open is asked of `ui`.
///
/// What is returned was read back from the store.
///
/// ```
/// use authenticate::{login::{self, How}, paths::Paths, ui};
/// # use authenticate::{provider::{Descriptor, Mode}, secret::Secret};
/// # struct Nobody;
/// # impl ui::Ui for Nobody {
/// #     fn choose_mode(&self, _: &Descriptor, _: &[Mode]) -> Result<Mode, ui::UiError> {
/// #         Err(ui::UiError::Interrupted)
/// #     }
/// #     fn ask_secret(&self, _: &str, _: Option<&str>) -> Result<Secret, ui::UiError> {
/// #         Err(ui::UiError::Interrupted)
/// #     }
/// #     fn show(&self, _: ui::Event<'_>) {}
/// #     fn console(&self) -> std::io::Result<ui::Console> { Err(std::io::ErrorKind::Unsupported.into()) }
/// #     fn browser_can_return(&self) -> bool { false }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let ui = Nobody;
/// # let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let how = How { api_key: Some("sk-0123456789abcdef".into()), ..How::default() };
/// let (_interrupter, mut interrupt) = login::interrupt::pair();
/// let record = authenticate::authenticate(&paths, &"demo".parse()?, "openai", how, &ui, &mut interrupt).await?;
/// assert_eq!(record.address.to_string(), "openai");
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
/// As [`Login::plan`], [`Login::store_key`] and [`Login::in_container`].
pub async fn authenticate(
    paths: &Paths,
    project: &Name,
    provider: &str,
    how: How,
    ui: &dyn Ui,
    interrupt: &mut Interrupt,
) -> Result<Record, Error> {
    let login = Login::plan(paths, project, provider, how, ui)?;
    match login.mode() {
        Mode::ApiKey => login.store_key(ui),
        _ => login.in_container(ui, interrupt).await,
    }
}

/// Checks an API key and stores it under the default profile of a provider, in a credential set or the default one.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use authenticate::paths::Paths;
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
/// [`LoginError::BadKey`], [`LoginError::Store`]
pub fn store_api_key(
    paths: &Paths,
    provider: &str,
    key: &Secret,
    set: Option<&Name>,
) -> Result<Record, Error> {
    let registry = Registry::load_for(Some(&paths.providers()), provider);
    let provider = known(&registry, provider)?;
    has_mode(provider, Mode::ApiKey)?;
    let key = api_key::check(provider, key, false)?;
    let set = set.cloned().unwrap_or_else(Name::default_name);
    let address = Address { set, ..Address::of(provider.name.parse()?) };
    Ok(api_key::store(paths, &address, key)?)
}

/// A login that is decided on and not yet begun.
#[derive(Debug)]
pub struct Login {
    paths: Paths,
    project: Project,
    provider: Provider,
    address: Address,
    mode: Mode,
    how: How,
}

impl Login {
    /// Decides what is to be done, asking for the mode if need be. Nothing is attempted yet.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`], [`Error::Project`], [`LoginError::NoSuchMode`], [`LoginError::NotYet`],
    /// [`LoginError::Ui`]
    pub fn plan(paths: &Paths, project: &Name, provider: &str, how: How, ui: &dyn Ui) -> Result<Self, Error> {
        let registry = Registry::load_for(Some(&paths.providers()), provider);
        let provider = known(&registry, provider)?.clone();
        for problem in registry.problems() {
            ui.show(Event::Warning(&problem.to_string()));
        }
        let project = Project::load(&paths.projects(), project).map_err(Error::Project)?;
        let mode = choose_mode(&provider, &how, ui)?;
        if !matches!(mode, Mode::Oauth | Mode::ApiKey) {
            return Err(LoginError::NotYet(mode).into());
        }
        let address = Address {
            set: how.set.clone().unwrap_or_else(|| project.set()),
            provider: provider.name.parse()?,
            profile: how.profile.clone().unwrap_or_else(Name::default_name),
        };
        Ok(Self { paths: paths.clone(), project, provider, address, mode, how })
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

    /// Stores a key: the one that was given, or one that is asked for. Mode `api_key` only.
    ///
    /// # Errors
    /// [`LoginError::BadKey`], [`LoginError::Ui`], [`LoginError::Store`]
    pub fn store_key(&self, ui: &dyn Ui) -> Result<Record, Error> {
        let raw = match &self.how.api_key {
            Some(key) => key.clone(),
            None => {
                let prompt = format!("API key for {}", self.provider.label);
                let key_url = self.provider.api_key.as_ref().and_then(|k| k.key_url.as_deref());
                ui.ask_secret(&prompt, self.provider.api_key_hint.as_deref().or(key_url))
                    .map_err(LoginError::Ui)?
            }
        };
        let key = api_key::check(&self.provider, &raw, self.how.force)?;
        Ok(api_key::store(&self.paths, &self.address, key)?)
    }

    /// Runs the vendor's CLI in a container and stores what it left. Mode `oauth` only.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn in_container(&self, ui: &dyn Ui, interrupt: &mut Interrupt) -> Result<Record, Error> {
        let login = container::ContainerLogin {
            paths: &self.paths,
            provider: &self.provider,
            project: &self.project,
            address: &self.address,
            how: &self.how,
            ui,
        };
        Ok(login.run(interrupt).await?)
    }
}

/// A provider of which no file is wrong: without its override a login might go to another host than the one that is
/// meant.
fn known<'a>(registry: &'a Registry, name: &str) -> Result<&'a Provider, Error> {
    let found = registry.get(name);
    let wrong = registry.problems_of(found.as_ref().map_or(name, |provider| &provider.name));
    if wrong.is_empty() { Ok(found?) } else { Err(Error::Descriptor(wrong)) }
}

fn has_mode(provider: &Provider, mode: Mode) -> Result<Mode, LoginError> {
    if provider.modes.contains(&mode) {
        return Ok(mode);
    }
    Err(LoginError::NoSuchMode { provider: provider.name.clone(), mode, has: provider.modes.clone() })
}

fn choose_mode(provider: &Provider, how: &How, ui: &dyn Ui) -> Result<Mode, LoginError> {
    let wanted = how.mode.or(how.api_key.is_some().then_some(Mode::ApiKey));
    match (wanted, provider.modes.as_slice()) {
        (Some(mode), has) if has.contains(&mode) && how.api_key.is_some() && mode != Mode::ApiKey => {
            Err(LoginError::KeyNotWanted(mode))
        }
        (Some(mode), _) => has_mode(provider, mode),
        (None, [only]) => Ok(*only),
        (None, several) => Ok(ui.choose_mode(provider, several)?),
    }
}
