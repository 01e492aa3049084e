//! Logins by the vendor's own CLI, in a throwaway container.
//!
//! [`ContainerLogin::run`] reads from top to bottom: lock the address, open the store, prepare engine and image, guard
//! directory and record, run the CLI, read and store what it wrote, remove container, directory and record.

mod dir;
mod files;
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
        let store = store::open(self.context).await?;
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
        let ending = match guard.launch(&prepared.engine, plan.spec.clone(), deadline).await {
            Ok(Ok(attached)) => self.run_cli(guard, attached, plan, deadline).await,
            Ok(Err(error)) => Err(error.into()),
            Err(ending) => Ok(ending),
        };
        if let Some(container) = guard.running().filter(|_| !matches!(ending, Ok(Ending::Exited(_)))) {
            // Nothing may write any more while the files are read.
            let _ = deadline.run_at_most(KILL, container.kill()).await;
        }
        let (captured, found) = guard.login_files().read_last().await;
        let record = match captured {
            Ok(Some(captured)) => self.store_captured(store, captured, guard, deadline).await,
            Ok(None) => Err(nothing_captured(ending, found, None)),
            Err(error) => Err(nothing_captured(ending, found, Some(Box::new(error)))),
        };
        guard.remove(deadline).await;
        record
    }

    /// Stores what was captured, however the CLI ended. The disk may be full of what the CLI left: that is removed before
    /// the second try.
    async fn store_captured(
        &self,
        store: &SharedStore,
        captured: Captured,
        guard: &mut LoginGuard,
        deadline: &mut Deadline<'_>,
    ) -> Result<Record, LoginError> {
        let Captured { credential, metadata, provider, has_unreadable_expiry, file, .. } = captured;
        let address =
            &other_provider(self.context, self.address, provider.as_deref()).or_else(|unknown| {
                // It is kept nowhere else, and `token` finds it by the name that the vendor's file has.
                let name = provider.as_deref().and_then(|name| name.parse().ok()).ok_or(unknown)?;
                Ok::<_, LoginError>(Address { provider: name, ..self.address.clone() })
            })?;
        if has_unreadable_expiry {
            let text = format!("{file} has no readable time in expires_at: the end of {address} is unknown");
            self.context.ui().show(Event::Warning(&text));
        }
        let (credential, metadata) = match store::store_once(store, address, credential, metadata).await {
            Ok(record) => return Ok(record),
            Err(unstored) => *unstored,
        };
        guard.remove(deadline).await;
        guard.remove_files().await;
        store::store_with_retry(self.context, store, address, credential, metadata, deadline.cancel).await
    }
}

/// The failure of a login that left no credential.
fn nothing_captured(
    ending: Result<Ending, LoginError>,
    found: Vec<String>,
    because: Option<Box<CaptureError>>,
) -> LoginError {
    match ending {
        Ok(Ending::Interrupted) => UiError::Interrupted.into(),
        Ok(ending) => LoginError::NothingCaptured { ending, found, because },
        Err(error) => error,
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
