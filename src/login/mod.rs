//! Logging in: getting a credential and storing it.

mod audit;
pub mod cancel;
pub mod cli;
mod deadline;
pub mod direct;
pub mod error;
pub mod import;
pub mod loopback;
mod mode;
pub mod oauth;
mod options;
pub mod record;
mod store;

pub use cancel::{CancelHandle, CancelToken};
pub use direct::{field_input::FieldInput, fields::FieldsError};
pub use error::{Ending, LoginError};
pub use options::LoginOptions;

use self::direct::{api_key, fields, token};
use crate::{
    blocking,
    context::Context,
    credential::{Address, Credential, Metadata, Record},
    provider::{Mode, Provider},
    store::Action,
    ui::Event,
};

/// A login that is decided on and not yet begun.
#[derive(Clone, Debug)]
pub struct Login {
    context: Context,
    provider: Provider,
    address: Address,
    mode: Mode,
    options: LoginOptions,
}

impl Login {
    /// Decides on provider, address and mode. Asks for the mode if there are several. Nothing is attempted yet.
    ///
    /// # Errors
    /// [`LoginError::Config`], [`LoginError::NoSuchMode`], [`LoginError::UnexpectedInput`], [`LoginError::Ui`]
    pub fn plan(context: &Context, provider: &str, options: LoginOptions) -> Result<Self, LoginError> {
        let registry = context.registry_for(provider);
        let provider = registry.usable(provider).map_err(crate::context::ConfigError::from)?.clone();
        for problem in registry.problems() {
            context.ui().show(Event::Warning(&problem.to_string()));
        }
        // The project's file must be in order whatever the options say.
        context.project()?;
        let mode = mode::choose(&provider, &options, context.ui())?;
        let address = context.address(options.set.as_ref(), &provider.name, options.profile.as_ref())?;
        Ok(Self { context: context.clone(), provider, address, mode, options })
    }

    /// Runs the login in the mode that was decided on, stores the credential and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        match self.mode {
            Mode::ApiKey | Mode::Token => {
                let login = self.clone();
                blocking::run(move || login.store_key()).await
            }
            Mode::Basic | Mode::Fields => {
                let login = self.clone();
                blocking::run(move || login.store_fields()).await
            }
            mode if Mode::OAUTH_FLOWS.contains(&mode) => self.run_oauth_flow(cancel).await,
            _ => self.run_vendor_cli(cancel).await,
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

    /// The address at which the credential will be stored.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Stores a key or token: the one that was given, or one that is asked for. For the modes `api_key` and `token`.
    ///
    /// # Errors
    /// [`LoginError::BadKey`], [`LoginError::Ui`], [`LoginError::Store`]
    pub fn store_key(&self) -> Result<Record, LoginError> {
        let metadata = Metadata { expires_at: self.options.expires_at, ..Metadata::default() };
        let credential = if self.mode == Mode::Token { self.token() } else { self.api_key() };
        self.audited(credential.and_then(|credential| self.put(&credential, &metadata)))
    }

    fn token(&self) -> Result<Credential, LoginError> {
        let raw = match &self.options.token {
            Some(token) => token.clone(),
            None => {
                let prompt = format!("Bearer token for {}", self.provider.label);
                self.context.ui().ask_secret(&prompt, None)?
            }
        };
        Ok(Credential::Token { token: token::check(&self.provider, &raw)? })
    }

    fn api_key(&self) -> Result<Credential, LoginError> {
        let raw = match &self.options.api_key {
            Some(key) => key.clone(),
            None => {
                let prompt = format!("API key for {}", self.provider.label);
                let key_url = self.provider.api_key.as_ref().and_then(|k| k.key_url.as_deref());
                let hint = self.provider.api_key_hint.as_deref().or(key_url);
                self.context.ui().ask_secret(&prompt, hint)?
            }
        };
        Ok(Credential::ApiKey { key: api_key::check(&self.provider, &raw, self.options.force)? })
    }

    /// Stores fields: those that were given, and those that are asked for. For the modes `basic` and `fields`.
    ///
    /// # Errors
    /// [`LoginError::Fields`], [`LoginError::Ui`], [`LoginError::Store`]
    pub fn store_fields(&self) -> Result<Record, LoginError> {
        let fields = &self.options.fields;
        let credential = fields::credential(&self.provider, self.mode, fields, self.context.ui());
        self.audited(credential.and_then(|credential| self.put(&credential, &Metadata::default())))
    }

    /// Runs an OAuth flow with the authorization server and stores the tokens. For [`Mode::OAUTH_FLOWS`].
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run_oauth_flow(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        let (done, this) = (self.oauth_flow(cancel).await, self.clone());
        blocking::run(move || this.audited(done)).await
    }

    /// Runs the vendor's CLI in a container and stores the credential that it left. For mode `oauth`.
    ///
    /// # Errors
    /// Any [`LoginError`].
    pub async fn run_vendor_cli(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        // A missing variable is an error before anything begins.
        let (provider, project) = (self.provider.with_values()?, self.context.project()?.with_values()?);
        let login = cli::ContainerLogin {
            context: &self.context,
            provider: &provider,
            project: &project,
            address: &self.address,
            options: &self.options,
        };
        let (done, this) = (login.run(cancel).await, self.clone());
        blocking::run(move || this.audited(done)).await
    }

    /// Records a failure in the audit log.
    fn audited(&self, done: Result<Record, LoginError>) -> Result<Record, LoginError> {
        done.inspect_err(|error| {
            if !error.is_before_start() {
                audit::audit_failure(&self.context, Action::Login, &self.address, error.code());
            }
        })
    }

    /// Stores a credential and reads it back.
    fn put(&self, credential: &Credential, metadata: &Metadata) -> Result<Record, LoginError> {
        Ok(self.context.store()?.lock().put(&self.address, credential, metadata)?)
    }
}
