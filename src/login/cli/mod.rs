//! Logins by the vendor's own CLI, in a throwaway container.
//!
//! [`ContainerLogin::run`] reads from top to bottom: lock the address, open the store, prepare engine and image, guard
//! directory and record, run the CLI, read and store what it wrote, remove container, directory and record.

mod browser_return;
mod dir;
mod guard;
mod plan;
mod port_forward;
mod prepare;
pub mod refresh;
mod replay;
mod run_cli;
mod session;
pub mod sweep;
pub mod url_finder;

use std::{
    future::{Ready, ready},
    panic::resume_unwind,
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::task::{JoinHandle, spawn_blocking};

use self::{guard::LoginGuard, prepare::Prepared, run_cli::CliRun};
use super::{
    LoginError, LoginOptions, cancel::CancelToken, deadline::Deadline, error::Ending, record::LoginLock,
    store,
};
use crate::{
    config::{Paths, Project},
    credential::{Address, Record},
    engine::{self, Container, ContainerSpec},
    provider::Provider,
    store::{Action, SharedStore, StoreError},
    ui::{Event, Ui, UiError},
    vendor_files::{self, CaptureError, Captured, Owner},
};

/// The default time limit of a login, without the build of its image.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Time for an engine to kill a container.
const KILL: Duration = Duration::from_secs(5);
/// Time for an engine to remove a container. Podman first gives the container ten seconds to end.
const REMOVAL: Duration = Duration::from_secs(15);

/// A login in a container, with everything that it depends on.
pub struct ContainerLogin<'a> {
    /// The program's directories.
    pub paths: &'a Paths,
    /// The provider to log in to.
    pub provider: &'a Provider,
    /// The project.
    pub project: &'a Project,
    /// The address of the credential.
    pub address: &'a Address,
    /// The options.
    pub how: &'a LoginOptions,
    /// The store to use in place of the one in the data directory.
    pub store: Option<&'a SharedStore>,
    /// The person to ask and to show events.
    pub ui: &'a dyn Ui,
}

/// The result of a login whose container, if there was one, is dealt with.
struct LoginResult {
    record: Result<Record, LoginError>,
    /// Whether no container is left; else the reason.
    container: Result<(), String>,
}

impl ContainerLogin<'_> {
    /// Runs the login, stores the credential that the CLI wrote, and reads it back. Puts the store into `opened` as
    /// soon as it is open.
    ///
    /// # Errors
    /// Any [`LoginError`]. The container and the directory are removed in every case. If the future is dropped before
    /// its end, the next [`sweep`] removes them.
    pub async fn run(
        &self,
        opened: &mut Option<SharedStore>,
        cancel: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let lock = LoginLock::take(self.paths, self.address)?;
        let (selector, passthrough) = (self.engine_selector()?, self.passthrough()?);
        let connecting = pin!(engine::locate::connect(&selector));
        let (store, connecting) = open_meanwhile(self.open_store(), connecting).await;
        let store = opened.insert(store?).clone();
        let mut deadline = Deadline::new(self.how.timeout.unwrap_or(DEFAULT_LIMIT), cancel);
        let engine = deadline.run(connecting).await.map_err(without_credential)??;
        let connected = deadline.run(self.find_image(engine, passthrough)).await;
        let connected = connected.map_err(without_credential)??;
        let prepared = deadline.run_untimed(self.build(connected)).await.map_err(without_credential)??;
        let name = self.provider.host_dir_name.as_deref().unwrap_or("files");
        let guard = LoginGuard::new(lock, self.paths, prepared.engine.url(), name)?;
        let LoginResult { record, container } =
            self.in_container(&guard, &prepared, &store, &mut deadline).await;
        if let Err(problem) = guard.clean_up(container) {
            self.ui.show(Event::Warning(&format!("{problem}; a later run tries again")));
        }
        record
    }

    /// Opens the store before the vendor issues anything: a credential that cannot be stored must not be requested.
    fn open_store(&self) -> JoinHandle<Result<SharedStore, StoreError>> {
        let (given, paths) = (self.store.cloned(), self.paths.clone());
        spawn_blocking(move || {
            let store = SharedStore::open(given.as_ref(), &paths)?;
            store.lock().prepare()?;
            store.lock().record_as(Action::Login);
            Ok(store)
        })
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
        let captured = vendor_files::read(guard.files(), &self.provider.capture, Owner::us());
        let found = vendor_files::names(guard.files());
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
                let put =
                    store::store_with_retry(store, self.address, &credential, &metadata, self.ui, cancel);
                return put.await;
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
async fn open_meanwhile<F: Future + Unpin>(
    opening: JoinHandle<Result<SharedStore, StoreError>>,
    work: F,
) -> (Result<SharedStore, StoreError>, Either<F, Ready<F::Output>>) {
    let (opened, work) = match select(opening, work).await {
        Either::Left((opened, work)) => (opened, Either::Left(work)),
        Either::Right((done, opening)) => (opening.await, Either::Right(ready(done))),
    };
    let store = opened.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_cancelled) => Err(StoreError::Interrupted),
    });
    (store, work)
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
