//! Logins by the vendor's own CLI, in a throwaway container.
//!
//! [`ContainerLogin::run`] reads from top to bottom: lock the address, open the store, prepare engine and image, guard
//! directory and record, run the CLI, read and store what it wrote, remove container, directory and record.

mod dir;
mod forward;
mod guard;
mod plan;
mod prepare;
pub mod refresh;
mod replay;
mod run_cli;
mod session;
pub mod sweep;
pub mod url_finder;

use std::time::Duration;

use self::{guard::LoginGuard, prepare::Prepared};
use super::{
    LoginError, LoginOptions, cancel::CancelToken, deadline::Deadline, error::Ending, record::LoginLock,
    store,
};
use crate::{
    config::Project,
    context::Context,
    credential::{Address, Record},
    provider::Provider,
    store::SharedStore,
    ui::{Event, UiError},
    vendor_files::{CaptureError, Captured},
};

/// The default time limit of a login, without the build of its image.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Time for an engine to kill a container.
const KILL: Duration = Duration::from_secs(5);

/// A login in a container, with everything that it depends on.
pub struct ContainerLogin<'a> {
    /// The directories, the store and the user interface.
    pub context: &'a Context,
    /// The provider to log in to.
    pub provider: &'a Provider,
    /// The project, with the values of its variables.
    pub project: &'a Project,
    /// The address of the credential.
    pub address: &'a Address,
    /// The options.
    pub options: &'a LoginOptions,
}

impl ContainerLogin<'_> {
    /// Runs the login, stores the credential that the CLI wrote, and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`]. The container and the directory are removed in every case. If the future is dropped before
    /// its end, the next [`sweep`] removes them.
    pub async fn run(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        let lock = LoginLock::acquire(self.context.paths(), self.address).await?;
        let (selector, passthrough) = (self.engine_selector()?, self.passthrough().await?);
        // Opened before the vendor issues anything: a credential that cannot be stored must not be requested.
        let store = self.context.prepared_store().await?;
        let mut deadline = Deadline::new(self.options.timeout.unwrap_or(DEFAULT_LIMIT), cancel);
        let prepared = deadline.run(self.connect(&selector, passthrough)).await??;
        deadline.run_untimed(self.build(&prepared)).await??;
        let mut guard =
            LoginGuard::new(lock, self.context.paths(), prepared.engine.url(), self.provider).await?;
        let record = self.in_container(&mut guard, &prepared, &store, &mut deadline).await;
        if let Err(problem) = guard.clean_up().await {
            self.context.ui().show(Event::Warning(&format!("{problem}; a later run tries again")));
        }
        record
    }

    /// Runs the CLI in a container and stores the credential that it wrote.
    async fn in_container(
        &self,
        guard: &mut LoginGuard,
        prepared: &Prepared,
        store: &SharedStore,
        deadline: &mut Deadline<'_>,
    ) -> Result<Record, LoginError> {
        let plan = self.plan(prepared, guard.login(), guard.files()).await?;
        let container = guard.create(&prepared.engine, &plan.spec, deadline).await??;
        let ending = self.run_cli(&container, plan, guard.files(), deadline).await;
        if !matches!(ending, Ok(Ending::Exited(_))) {
            // Nothing may write any more while the files are read.
            let _ = deadline.run_at_most(KILL, container.kill()).await;
        }
        let (captured, found) = guard.read().await;
        let record = self.store_captured(store, captured, ending, found, deadline.cancel).await;
        guard.remove(&container, deadline).await;
        record
    }

    /// Stores what was captured. A captured credential counts however the CLI ended.
    async fn store_captured(
        &self,
        store: &SharedStore,
        captured: Result<Option<Captured>, CaptureError>,
        ending: Result<Ending, LoginError>,
        found: Vec<String>,
        cancel: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let because = match captured {
            Ok(Some(Captured { credential, metadata, provider, has_unreadable_expiry, file, .. })) => {
                let context = self.context;
                let address = &other_provider(context, self.address, provider.as_deref())?;
                if has_unreadable_expiry {
                    let text =
                        format!("{file} has no readable time in expires_at: the end of {address} is unknown");
                    context.ui().show(Event::Warning(&text));
                }
                return store::store_with_retry(context, store, address, credential, metadata, cancel).await;
            }
            Ok(None) => None,
            Err(error) => Some(Box::new(error)),
        };
        match ending? {
            Ending::Interrupted => Err(UiError::Interrupted.into()),
            ending => Err(LoginError::NothingCaptured { ending, found, because }),
        }
    }
}

/// The address for a credential of another provider, which the vendor's file names.
pub(super) fn other_provider(
    context: &Context,
    address: &Address,
    provider: Option<&str>,
) -> Result<Address, LoginError> {
    let Some(name) = provider else { return Ok(address.clone()) };
    let provider = context.provider(name)?;
    Ok(context.address(Some(&address.set), &provider.name, Some(&address.profile))?)
}
