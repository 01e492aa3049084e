//! The vendor's own CLI, made to renew its login in a throwaway container.

use std::{fmt, path::Path, time::Duration};

use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{ContainerLogin, KILL, REMOVAL, engine_silent, guard::LoginGuard, sweep};
use crate::{
    config::Paths,
    credential::Record,
    engine::{Container, ContainerSpec, Engine, EngineError},
    login::{LoginError, record::LoginLock},
    provider::{Provider, run_args::RunArgs},
    vendor_files::{self, CaptureError, Captured, Owner},
};

/// How long the engine may take to make its container, to attach to it, and to start it.
const START: Duration = Duration::from_secs(30);
/// How long the CLI may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How long all of it may take, once it is prepared. See [`Container::stop`].
pub(crate) const LONGEST: Duration = START
    .saturating_mul(3)
    .saturating_add(LIMIT)
    .saturating_add(GRACE.saturating_mul(5))
    .saturating_add(KILL)
    .saturating_add(REMOVAL);

/// All that it takes, with the image there and nothing made yet.
#[derive(Debug)]
pub struct CliRefresh {
    lock: LoginLock,
    engine: Engine,
    paths: Paths,
    provider: Provider,
    spec: ContainerSpec,
}

/// What the CLI did.
#[derive(Debug)]
pub struct CliRefreshOutcome {
    /// How it ended, or why it was certainly not started.
    pub ended: Result<CliEnd, LoginError>,
    /// What is in its files now.
    pub captured: Result<Option<Captured>, CaptureError>,
}

/// How the CLI ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CliEnd {
    /// By itself, with this exit code.
    Exited(i64),
    /// It had to be stopped.
    Killed,
    /// It was started, or may have been, and the engine did not say how it ended.
    Lost,
}

impl fmt::Display for CliEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "ended with exit code {code}"),
            Self::Killed => f.write_str("was stopped"),
            Self::Lost => f.write_str("was lost sight of by the engine"),
        }
    }
}

impl ContainerLogin<'_> {
    /// Takes the login's lock, connects to the engine, and builds the image if need be.
    ///
    /// # Errors
    /// Any [`LoginError`] but those of a login's end.
    pub async fn prepare_refresh(&self) -> Result<CliRefresh, LoginError> {
        let lock = LoginLock::take(self.paths, self.address)?;
        let prepared = self.prepare().await?;
        let args = RunArgs::parse(&self.provider.extra_run_args).unwrap_or_default();
        let command = self.provider.refresh.iter().flat_map(|refresh| refresh.command.clone()).collect();
        let network = self.project.network.clone().or(args.network.clone());
        let spec = self.spec(&prepared, lock.login(), args, network, command);
        let (paths, provider) = (self.paths.clone(), self.provider.clone());
        Ok(CliRefresh { lock, engine: prepared.engine, paths, provider, spec })
    }
}

impl CliRefresh {
    /// Writes the credential into the vendor's files, runs the CLI over them, and reads them again. Whatever happened,
    /// the container and the files are gone afterwards. If it is dropped before its end, the next sweep removes them.
    ///
    /// # Errors
    /// Any [`LoginError`] but those of a login's end: there was no container to start it in.
    pub async fn run(self, record: &Record) -> Result<CliRefreshOutcome, LoginError> {
        let Self { lock, engine, paths, provider, spec } = self;
        let name = provider.host_dir_name.as_deref().unwrap_or("files");
        let begun = LoginGuard::new(lock, &paths, engine.url(), name)?;
        let (ran, removed) = in_container(&engine, &provider, spec, begun.files(), record).await;
        // What is left is said by the sweep that finds it.
        let _ = begun.clean_up(removed);
        ran
    }
}

/// What became of it, and of its container.
async fn in_container(
    engine: &Engine,
    provider: &Provider,
    spec: ContainerSpec,
    files: &Path,
    record: &Record,
) -> (Result<CliRefreshOutcome, LoginError>, Result<(), String>) {
    let (map, state) = (&provider.capture, &provider.post_capture_state);
    if let Err(error) = vendor_files::write(files, map, state, &record.credential, &record.metadata) {
        return (Err(LoginError::Vendor(Box::new(error))), Ok(()));
    }
    let spec = ContainerSpec { host_dir: files.to_owned(), ..spec };
    let container = match timeout(START, engine.create(&spec)).await {
        Ok(Ok(container)) => container,
        Ok(Err(error)) => {
            // The answer may have been lost, and the container be there all the same.
            let removal = timeout(REMOVAL, sweep::remove_containers(engine.url(), &spec.login)).await;
            return (Err(error.into()), removal.unwrap_or_else(|_| engine_silent("removing")));
        }
        Err(_) => {
            let error = EngineError::silent("making the login's container");
            return (Err(error.into()), engine_silent("making"));
        }
    };
    let ended = watch(&container).await;
    if !matches!(ended, Ok(CliEnd::Exited(_))) {
        let _ = timeout(KILL, container.kill()).await;
    }
    let captured = vendor_files::read(files, map, Owner::us());
    let removed = match timeout(REMOVAL, container.remove()).await {
        Ok(removed) => removed.map_err(|error| error.to_string()),
        Err(_) => engine_silent("removing"),
    };
    (Ok(CliRefreshOutcome { ended, captured }), removed)
}

/// Runs it to its end, or to the time limit. What it prints is for nobody. An error says that it was not started.
async fn watch(container: &Container) -> Result<CliEnd, LoginError> {
    let attached = timeout(START, container.attach()).await;
    let mut attached = attached.map_err(|_| EngineError::silent("attaching to the login's container"))??;
    let printed = tokio::spawn(async move { while attached.output.next().await.is_some() {} });
    match timeout(START, container.start()).await {
        Ok(Err(error)) if error.is_refusal() => return Err(error.into()),
        Ok(Err(_)) | Err(_) => return Ok(CliEnd::Lost),
        Ok(Ok(())) => {}
    }
    let ended = match timeout(LIMIT, container.wait()).await {
        Ok(Ok(code)) => CliEnd::Exited(code),
        Ok(Err(_)) => CliEnd::Lost,
        Err(_) => match container.stop(GRACE).await {
            Ok(()) => CliEnd::Killed,
            Err(_) => CliEnd::Lost,
        },
    };
    printed.abort();
    Ok(ended)
}
