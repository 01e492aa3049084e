//! Refreshes a login with the vendor's own CLI, in a throwaway container.

use std::{fmt, io, time::Duration};

use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    ContainerLogin, KILL,
    guard::{LoginGuard, REMOVAL},
};
use crate::{
    config::Paths,
    credential::Record,
    engine::{Container, ContainerSpec, Engine, EngineError, attach::Attached, exit_code},
    login::{
        LoginError, cancel,
        deadline::{self, Deadline},
        record::LoginLock,
    },
    provider::Provider,
    vendor_files::{CaptureError, Captured},
};

/// Time for the engine to create, attach to and start the container.
const START: Duration = Duration::from_secs(30);
/// Time for the CLI.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
/// Time for the CLI to end when it is asked to. See [`Container::stop`].
const GRACE: Duration = Duration::from_secs(5);
/// Time for the engine to give the files, where they have to be copied out of the container.
const READ: Duration = Duration::from_secs(60);
/// The longest that [`CliRefresh::run`] takes.
pub(crate) const LONGEST: Duration = START
    .saturating_add(deadline::GRACE)
    .saturating_add(READ)
    .saturating_add(LIMIT)
    .saturating_add(GRACE.saturating_mul(5))
    .saturating_add(KILL)
    .saturating_add(REMOVAL);

/// A prepared refresh: the lock is held, the image is built, and nothing else is created.
#[derive(Debug)]
pub struct CliRefresh {
    lock: LoginLock,
    engine: Engine,
    paths: Paths,
    provider: Provider,
    spec: ContainerSpec,
}

/// The result of the CLI's run.
#[derive(Debug)]
pub struct CliRefreshOutcome {
    /// How the CLI ended, or why it was certainly not started.
    pub ended: Result<CliEnd, LoginError>,
    /// The credential in the CLI's files after the run.
    pub captured: Result<Option<Captured>, CaptureError>,
}

/// The end of the CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliEnd {
    /// It ended by itself, with this exit code.
    Exited(i64),
    /// It did not end in time and was stopped.
    Killed,
    /// It may have been started, and the engine did not report how it ended.
    Lost,
}

impl fmt::Display for CliEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "ended with {}", exit_code(*code)),
            Self::Killed => f.write_str("was stopped"),
            Self::Lost => f.write_str("was lost: the engine did not report how it ended"),
        }
    }
}

impl ContainerLogin<'_> {
    /// Takes the login's lock, connects to the engine, and builds the image if needed.
    ///
    /// # Errors
    /// Any [`LoginError`] except those about the end of a login.
    pub async fn prepare_refresh(&self) -> Result<CliRefresh, LoginError> {
        let lock = LoginLock::acquire(self.context.paths(), self.address).await?;
        let prepared = self.prepare().await?;
        let command = self.provider.refresh.iter().flat_map(|refresh| refresh.command.clone()).collect();
        let spec = self.spec(&prepared, lock.login(), command);
        let (paths, provider) = (self.context.paths().clone(), self.provider.clone());
        Ok(CliRefresh { lock, engine: prepared.engine, paths, provider, spec })
    }
}

impl CliRefresh {
    /// Writes the credential into the vendor's files, runs the CLI on them, and reads them again. The container and the
    /// files are removed in every case. If the future is dropped before its end, the next sweep removes them.
    ///
    /// # Errors
    /// Any [`LoginError`] except those about the end of a login: the CLI was not started.
    pub async fn run(self, record: &Record) -> Result<CliRefreshOutcome, LoginError> {
        let Self { lock, engine, paths, provider, spec } = self;
        let mut guard = LoginGuard::new(lock, &paths, engine.url(), &provider).await?;
        let outcome = in_container(&engine, spec, &mut guard, record).await;
        // The sweep that finds what is left reports it.
        let _ = guard.clean_up().await;
        outcome
    }
}

/// Runs the CLI in a container.
async fn in_container(
    engine: &Engine,
    spec: ContainerSpec,
    guard: &mut LoginGuard,
    record: &Record,
) -> Result<CliRefreshOutcome, LoginError> {
    guard.write(record).await.map_err(|error| LoginError::Vendor(Box::new(error)))?;
    let spec = ContainerSpec { host_dir: guard.files().to_owned(), ..spec };
    let (_handle, mut never) = cancel::pair();
    let mut deadline = Deadline::new(START, &mut never);
    let launched = guard.launch(engine, spec, &mut deadline).await;
    let launched = launched.unwrap_or_else(|_| Err(EngineError::timed_out("start the login's container")));
    let ended = match (launched, guard.running()) {
        (Ok(attached), Some(container)) => Ok(watch(container, attached).await),
        (Err(error), _) if !guard.may_have_started => Err(error.into()),
        _ => Ok(CliEnd::Lost),
    };
    if let Some(container) = guard.running().filter(|_| !matches!(ended, Ok(CliEnd::Exited(_)))) {
        let _ = timeout(KILL, container.kill()).await;
    }
    let expired = |_| {
        let source = io::ErrorKind::TimedOut.into();
        (Err(CaptureError::Io { file: "the login's files".into(), action: "copy out", source }), Vec::new())
    };
    let (captured, _) = timeout(READ, guard.login_files().read_last()).await.unwrap_or_else(expired);
    guard.remove(&mut deadline).await;
    Ok(CliRefreshOutcome { ended, captured })
}

/// Waits for the end of the CLI or for the time limit, and drops its output.
async fn watch(container: &Container, mut attached: Attached) -> CliEnd {
    let printed = tokio::spawn(async move { while attached.output.next().await.is_some() {} });
    let ended = match timeout(LIMIT, container.wait()).await {
        Ok(Ok(code)) => CliEnd::Exited(code),
        Ok(Err(_)) => CliEnd::Lost,
        Err(_) => match container.stop(GRACE).await {
            Ok(()) => CliEnd::Killed,
            Err(_) => CliEnd::Lost,
        },
    };
    printed.abort();
    ended
}
