//! Logins by the vendor's own CLI, in a throwaway container.
//!
//! [`ContainerLogin::run`] reads from top to bottom: lock the address, open the store, prepare engine and image, guard
//! directory and record, run the CLI, read and store what it wrote, remove container, directory and record.

mod browser_return;
mod dir;
mod guard;
mod plan;
mod prepare;
pub mod refresh;
mod replay;
mod run_cli;
mod session;
pub mod sweep;
pub mod url_finder;

use std::{
    future::{Ready, ready},
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};

use self::{guard::LoginGuard, prepare::Prepared, run_cli::CliRun};
use super::{
    LoginError, LoginOptions, cancel::CancelToken, deadline::Deadline, error::Ending, record::LoginLock,
    store,
};
use crate::{
    config::Project,
    context::Context,
    credential::{Address, Record},
    engine::{self, Container, ContainerSpec},
    provider::Provider,
    store::SharedStore,
    ui::{Event, UiError},
    vendor_files::{CaptureError, Captured},
};

/// The default time limit of a login, without the build of its image.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Time for an engine to kill a container.
const KILL: Duration = Duration::from_secs(5);
/// Time for an engine to remove a container. Podman first gives the container ten seconds to end.
const REMOVAL: Duration = Duration::from_secs(15);

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

/// The result of a login whose container, if there was one, is dealt with.
struct LoginResult {
    record: Result<Record, LoginError>,
    /// Whether no container is left; else the reason.
    container: Result<(), String>,
}

impl ContainerLogin<'_> {
    /// Runs the login, stores the credential that the CLI wrote, and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`]. The container and the directory are removed in every case. If the future is dropped before
    /// its end, the next [`sweep`] removes them.
    pub async fn run(&self, cancel: &mut CancelToken) -> Result<Record, LoginError> {
        let lock = LoginLock::acquire(self.context.paths(), self.address).await?;
        let (selector, passthrough) = (self.engine_selector()?, self.passthrough()?);
        let connecting = pin!(engine::locate::connect(&selector));
        // Opened before the vendor issues anything: a credential that cannot be stored must not be requested.
        let (store, connecting) = open_meanwhile(pin!(self.context.prepared_store()), connecting).await;
        let store = store?;
        let mut deadline = Deadline::new(self.options.timeout.unwrap_or(DEFAULT_LIMIT), cancel);
        let engine = deadline.run(connecting).await.map_err(without_credential)??;
        let connected = deadline.run(self.find_image(engine, passthrough)).await;
        let connected = connected.map_err(without_credential)??;
        let prepared = deadline.run_untimed(self.build(connected)).await.map_err(without_credential)??;
        let name = self.provider.host_dir_name.as_deref().unwrap_or("files");
        let guard = LoginGuard::new(lock, self.context.paths(), prepared.engine.url(), name).await?;
        let LoginResult { record, container } =
            self.in_container(&guard, &prepared, &store, &mut deadline).await;
        if let Err(problem) = guard.clean_up(container).await {
            self.context.ui().show(Event::Warning(&format!("{problem}; a later run tries again")));
        }
        record
    }

    /// Runs the CLI in a container and stores the credential that it wrote.
    async fn in_container(
        &self,
        guard: &LoginGuard,
        prepared: &Prepared,
        store: &SharedStore,
        deadline: &mut Deadline<'_>,
    ) -> LoginResult {
        let plan = match self.plan(prepared, guard.login(), guard.files()).await {
            Ok(plan) => plan,
            Err(error) => return LoginResult { record: Err(error), container: Ok(()) },
        };
        let container = match create(prepared, &plan.spec, deadline).await {
            Ok(container) => container,
            Err(result) => return result,
        };
        let run = self.run_cli(&container, plan, guard.files(), deadline).await;
        if !matches!(run, Ok(CliRun::Ended(Ending::Exited(_)))) {
            // Nothing may write any more while the files are read.
            let _ = deadline.run_at_most(KILL, container.kill()).await;
        }
        let (captured, found) = guard.read(self.provider).await;
        let ending = run.map(CliRun::ending);
        let record = self.store_captured(store, captured, ending, found, deadline.cancel).await;
        let container = match deadline.run_at_most(REMOVAL, container.remove()).await {
            Some(removed) => removed.map_err(|error| error.to_string()),
            None => no_answer("remove"),
        };
        LoginResult { record, container }
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
            Ok(Some(Captured { credential, metadata, .. })) => {
                let ui = self.context.ui();
                return store::store_with_retry(store, self.address, credential, metadata, ui, cancel).await;
            }
            Ok(None) => None,
            Err(error) => Some(Box::new(error)),
        };
        match ending? {
            ending @ Ending::Interrupted => Err(without_credential(ending)),
            ending => Err(LoginError::NothingCaptured { ending, found, because }),
        }
    }
}

/// Waits until the store is open, while `work` goes on; returns `work` to be waited for.
async fn open_meanwhile<S: Future + Unpin, F: Future + Unpin>(
    opening: S,
    work: F,
) -> (S::Output, Either<F, Ready<F::Output>>) {
    match select(opening, work).await {
        Either::Left((opened, work)) => (opened, Either::Left(work)),
        Either::Right((done, opening)) => (opening.await, Either::Right(ready(done))),
    }
}

/// Creates the container. On failure the engine may have created it all the same, so it is removed by its label.
async fn create(
    prepared: &Prepared,
    spec: &ContainerSpec,
    deadline: &mut Deadline<'_>,
) -> Result<Container, LoginResult> {
    match deadline.run_with_grace(prepared.engine.create(spec)).await {
        Ok(Ok(container)) => Ok(container),
        Ok(Err(error)) => {
            let removal = sweep::remove_containers(prepared.engine.url(), &spec.login);
            let removed = deadline.run_at_most(REMOVAL, removal).await;
            let container = removed.unwrap_or_else(|| no_answer("remove"));
            Err(LoginResult { record: Err(error.into()), container })
        }
        Err(ending) => {
            Err(LoginResult { record: Err(without_credential(ending)), container: no_answer("create") })
        }
    }
}

/// Makes the result for a container that may be left because the engine did not answer in time.
fn no_answer(action: &str) -> Result<(), String> {
    Err(format!("cannot {action} the login's container: the engine does not answer"))
}

/// Makes the error of a login that ended before its CLI could write anything.
fn without_credential(ending: Ending) -> LoginError {
    match ending {
        Ending::Interrupted => UiError::Interrupted.into(),
        ending => LoginError::NothingCaptured { ending, found: Vec::new(), because: None },
    }
}
