//! Logging in: getting a credential and storing it.

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

use crate::{
    blocking,
    context::Context,
    credential::{Address, Kind, Metadata, Record},
    provider::{Mode, Provider},
    store::{Action, Swap},
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
        let login = self.clone();
        let done = match self.mode {
            Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields => {
                return blocking::run(move || login.store_entered()).await;
            }
            Mode::Oauth => {
                // A missing variable is an error before anything begins.
                let (provider, project) =
                    (self.provider.with_values()?, self.context.project()?.with_values()?);
                let login = cli::ContainerLogin {
                    context: &self.context,
                    provider: &provider,
                    project: &project,
                    address: &self.address,
                    options: &self.options,
                };
                login.run(cancel).await
            }
            _ => self.run_oauth_flow(cancel).await,
        };
        blocking::run(move || login.audited(done)).await
    }

    /// Stores a credential that was given, or that is asked for. For the modes `api_key`, `token`, `basic` and `fields`.
    /// Blocks.
    ///
    /// # Errors
    /// [`LoginError::BadKey`], [`LoginError::Fields`], [`LoginError::Ui`], [`LoginError::Store`]
    pub fn store_entered(&self) -> Result<Record, LoginError> {
        self.audited(self.enter_and_store())
    }

    fn enter_and_store(&self) -> Result<Record, LoginError> {
        loop {
            let Some(current) = self.to_be_completed()? else {
                let metadata = Metadata { expires_at: self.options.expires_at, ..Metadata::default() };
                let credential = self.entered(None)?;
                return Ok(self.context.store()?.lock().put(&self.address, &credential, &metadata)?);
            };
            let credential = self.entered(Some(&current.credential))?;
            let (version, metadata) = (current.version, &current.metadata);
            match self.context.store()?.lock().swap(&self.address, version, &credential, metadata)? {
                Swap::Swapped(record) => return Ok(record),
                Swap::Lost(_) => {}
            }
        }
    }

    /// The stored credential that takes the given fields, when only some are given.
    fn to_be_completed(&self) -> Result<Option<Record>, LoginError> {
        let given = &self.options.fields;
        if given.is_empty() || given.is_complete() {
            return Ok(None);
        }
        let Some(store) = self.context.existing_store()? else { return Ok(None) };
        let stored = store.lock().get(&self.address)?;
        Ok(stored.filter(|stored| matches!(stored.credential.kind(), Kind::Fields | Kind::Basic)))
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

    /// Records a failure in the audit log.
    fn audited(&self, done: Result<Record, LoginError>) -> Result<Record, LoginError> {
        done.inspect_err(|error| {
            if !error.is_before_start() {
                store::audit_failure(&self.context, Action::Login, &self.address, error);
            }
        })
    }
}
