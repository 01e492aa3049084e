//! The vendor's own login, in a throwaway container.

pub mod dir;
mod guard;
pub mod port_forward;
pub mod refresh;
pub mod session;
pub mod sweep;
pub mod url_finder;

use std::{
    future::ready,
    panic::resume_unwind,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::task::{JoinHandle, spawn_blocking};

use self::{
    guard::LoginGuard,
    port_forward::{PortForward, PortUnavailable},
    session::Session,
};
use super::{
    LoginError, LoginOptions, cancel::CancelToken, deadline::Deadline, error::Ending, record::LoginLock,
    store,
};
use crate::{
    config::{Paths, Project},
    credential::{Address, Record},
    engine::{
        self, Container, ContainerSpec, Engine, EngineError, Passthrough, attach::Attached,
        containerfile::Recipe,
    },
    provider::{Provider, run_args::RunArgs},
    store::{Action, SharedStore, StoreError},
    ui::{Console, Event, Ui, UiError},
    vendor_files::{self, CaptureError, Captured, Owner},
};

/// How long a login may take when nothing else is said, without the build of its image.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long an engine may take to end a container.
pub(super) const KILL: Duration = Duration::from_secs(5);
/// How long it may take to remove one. Podman first gives it ten seconds to end.
pub(super) const REMOVAL: Duration = Duration::from_secs(15);

/// All that a container login depends on.
pub struct ContainerLogin<'a> {
    /// The program's directories.
    pub paths: &'a Paths,
    /// What is logged in to.
    pub provider: &'a Provider,
    /// For which project.
    pub project: &'a Project,
    /// Where the credential goes.
    pub address: &'a Address,
    /// How.
    pub how: &'a LoginOptions,
    /// Where it is stored, in place of the data directory.
    pub store: Option<&'a SharedStore>,
    /// Whom to ask and show.
    pub ui: &'a dyn Ui,
}

/// What is there before the container is.
pub(super) struct Prepared {
    pub(super) engine: Engine,
    pub(super) image: String,
    pub(super) passthrough: Passthrough,
}

impl ContainerLogin<'_> {
    /// Runs the login, stores what it left and reads it back. `opened` is the store from when it is open.
    ///
    /// # Errors
    /// Any [`LoginError`]. Whatever happened, the container and the directory are gone afterwards. If it is dropped before
    /// its end, the next [`sweep`] removes them.
    pub async fn run(
        &self,
        opened: &mut Option<SharedStore>,
        interrupt: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let lock = LoginLock::take(self.paths, self.address)?;
        let (choice, passthrough) = (self.engine_selector()?, self.passthrough()?);
        // The engine takes some time to say what it is, which opening the store takes, too.
        let connecting = pin!(engine::locate::connect(&choice));
        let (store, connecting) = match select(self.open(), connecting).await {
            Either::Left((store, connecting)) => (store, Either::Left(connecting)),
            Either::Right((engine, opening)) => (opening.await, Either::Right(ready(engine))),
        };
        let store = store.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_cancelled) => Err(StoreError::Interrupted),
        });
        let store = opened.insert(store?).clone();
        let mut until = Deadline::new(self.how.timeout.unwrap_or(DEFAULT_LIMIT), interrupt);
        let engine = until.run(connecting).await.map_err(without_credential)??;
        let reached = until.run(self.find_image(engine, passthrough)).await.map_err(without_credential)??;
        let prepared = until.run_untimed(self.build(reached)).await.map_err(without_credential)??;
        let name = self.provider.host_dir_name.as_deref().unwrap_or("files");
        let begun = LoginGuard::new(lock, self.paths, prepared.engine.url(), name)?;
        let LoginResult { kept, removed } = self.in_container(&begun, &prepared, &store, &mut until).await;
        if let Err(problem) = begun.clean_up(removed) {
            self.ui.show(Event::Warning(&format!("{problem}; a later run tries again")));
        }
        kept
    }

    /// Runs the CLI in a container, and stores what it left.
    async fn in_container(
        &self,
        begun: &LoginGuard,
        prepared: &Prepared,
        store: &SharedStore,
        until: &mut Deadline<'_>,
    ) -> LoginResult {
        let plan = match self.plan(prepared, begun.login(), begun.files()).await {
            Ok(plan) => plan,
            Err(error) => return LoginResult { kept: Err(error), removed: Ok(()) },
        };
        let container = match until.run_with_grace(prepared.engine.create(&plan.spec)).await {
            Ok(Ok(container)) => container,
            Ok(Err(error)) => {
                // The answer may have been lost, and the container be there all the same.
                let removal = sweep::remove_containers(prepared.engine.url(), begun.login());
                let removed = until.run_at_most(REMOVAL, removal).await;
                return LoginResult {
                    kept: Err(error.into()),
                    removed: removed.unwrap_or_else(|| engine_silent("removing")),
                };
            }
            Err(ending) => {
                return LoginResult {
                    kept: Err(without_credential(ending)),
                    removed: engine_silent("making"),
                };
            }
        };
        let ran = self.session(&container, plan, begun.files(), until).await;
        let ending = match ran {
            Ok(RunEnd::Ended(ending @ Ending::Exited(_))) => Ok(ending),
            broken_off => {
                // However it was stopped: nothing may write any more while the files are read.
                let _ = until.run_at_most(KILL, container.kill()).await;
                broken_off.map(RunEnd::ending)
            }
        };
        let captured = vendor_files::read(begun.files(), &self.provider.capture, Owner::us());
        let found = vendor_files::names(begun.files());
        let kept = self.store_captured(store, captured, ending, found, until.interrupt).await;
        let removed = match until.run_at_most(REMOVAL, container.remove()).await {
            Some(removed) => removed.map_err(|error| error.to_string()),
            None => engine_silent("removing"),
        };
        LoginResult { kept, removed }
    }

    /// Opens the store, before the vendor gives anything out: what cannot be stored must not be asked for.
    fn open(&self) -> JoinHandle<Result<SharedStore, StoreError>> {
        let (given, paths) = (self.store.cloned(), self.paths.clone());
        spawn_blocking(move || {
            let store = SharedStore::open(given.as_ref(), &paths)?;
            store.lock().prepare()?;
            store.lock().record_as(Action::Login);
            Ok(store)
        })
    }

    /// The engine, the image and what the network needs. Makes nothing that would have to be cleaned up.
    pub(super) async fn prepare(&self) -> Result<Prepared, LoginError> {
        let (choice, passthrough) = (self.engine_selector()?, self.passthrough()?);
        let engine = engine::locate::connect(&choice).await?;
        self.build(self.find_image(engine, passthrough).await?).await
    }

    /// The engine that is wanted.
    fn engine_selector(&self) -> Result<engine::EngineSelector, LoginError> {
        let project_engine = || self.project.engine.as_deref().map(str::parse).transpose();
        Ok(match &self.how.engine {
            Some(choice) => choice.clone(),
            None => project_engine()?.unwrap_or_default(),
        })
    }

    /// What the network needs.
    fn passthrough(&self) -> Result<Passthrough, LoginError> {
        let bundle = self.how.ca_bundle.as_deref().or(self.project.ca_bundle.as_deref().map(Path::new));
        let passthrough = Passthrough::from_env(bundle)?;
        for why in &passthrough.ignored {
            self.ui.show(Event::IgnoredConfig(why));
        }
        Ok(passthrough)
    }

    /// Whether the engine has the image.
    async fn find_image(
        &self,
        engine: Engine,
        passthrough: Passthrough,
    ) -> Result<ConnectedEngine, LoginError> {
        let image = self.image(&engine).await?;
        Ok(ConnectedEngine { engine, image, passthrough })
    }

    /// The image asked for, or else the provider's.
    async fn image(&self, engine: &Engine) -> Result<Image, LoginError> {
        if let Some(image) = self.how.image.as_ref().or(self.project.image.as_ref()) {
            return Ok(Image::There(image.clone()));
        }
        let Some(image) = &self.provider.image else {
            let directory = self.paths.images().display().to_string();
            return Err(EngineError::NoContainerfile { name: self.provider.name.clone(), directory }.into());
        };
        let recipe = Recipe::find(&image.name, image.version.as_deref(), &self.paths.images())?;
        let tag = recipe.tag();
        Ok(if engine.has_image(&tag).await? { Image::There(tag) } else { Image::ToBuild(recipe) })
    }

    /// Builds the image, if need be.
    async fn build(&self, reached: ConnectedEngine) -> Result<Prepared, LoginError> {
        let ConnectedEngine { engine, image, passthrough } = reached;
        let recipe = match image {
            Image::There(image) => return Ok(Prepared { engine, image, passthrough }),
            Image::ToBuild(recipe) => recipe,
        };
        let tag = recipe.tag();
        self.ui.show(Event::BuildStarted { image: &tag });
        let network = self.project.network.as_deref().filter(|network| !network.starts_with("container:"));
        let built =
            engine.build(&recipe, &passthrough, network, |line| self.ui.show(Event::BuildLine(line))).await;
        self.ui.show(Event::BuildDone);
        Ok(Prepared { engine, image: built?, passthrough })
    }

    /// The container to be, its console, and the way back for the browser.
    async fn plan(&self, prepared: &Prepared, login: &str, files: &Path) -> Result<Plan, LoginError> {
        let console = self.ui.console().map_err(UiError::Io)?;
        let args = RunArgs::parse(&self.provider.extra_run_args).unwrap_or_default();
        let network = self.project.network.clone().or(args.network.clone());
        let can_paste = console.terminal.is_some() && console.input.is_some();
        let way = self.browser_return(network.as_deref(), can_paste).await?;
        let mut spec = self.spec(prepared, login, args, network, way.command.clone());
        spec.host_dir = files.to_owned();
        spec.reached = !way.ports.is_empty() || way.taken.is_some();
        if let Some(terminal) = &console.terminal {
            spec.terminal = Some(*terminal.size.borrow());
            // Whatever was said before, the provider's and the project's own word counts.
            let term = std::env::var("TERM").map(|term| ("TERM".to_owned(), term));
            spec.env.splice(0..0, term);
        }
        Ok(Plan { spec, console, way })
    }

    /// The container for a command of the provider, without a directory and a terminal yet.
    pub(super) fn spec(
        &self,
        prepared: &Prepared,
        login: &str,
        args: RunArgs,
        network: Option<String>,
        command: Vec<String>,
    ) -> ContainerSpec {
        let env = prepared.passthrough.env().into_iter().chain(self.provider.env.clone());
        ContainerSpec {
            name: format!("authenticate-{login}"),
            login: login.to_owned(),
            image: prepared.image.clone(),
            command,
            reached: false,
            env: env.chain(args.env).chain(self.project.env.clone()).collect(),
            host_dir: PathBuf::new(),
            mount: self.provider.container_mount.clone().unwrap_or_default(),
            tmpfs: args.tmpfs,
            publish: args.publish,
            network,
            extra_hosts: args.add_host.into_iter().chain(self.project.extra_hosts.clone()).collect(),
            ca_bundle: prepared.passthrough.ca_bundle.clone(),
            terminal: None,
        }
    }

    /// Decides how the browser comes back: through forwarded ports, by paste, or not at all.
    async fn browser_return(
        &self,
        network: Option<&str>,
        can_paste: bool,
    ) -> Result<BrowserReturn, LoginError> {
        let headless = &self.provider.headless_command;
        let without = BrowserReturn { command: headless.clone(), ports: Vec::new(), taken: None };
        let reachable = self.ui.browser_can_return() && !self.how.headless;
        if !headless.is_empty() && !reachable {
            return Ok(without);
        }
        let command = self.provider.command.clone();
        if network == Some("host") {
            // The CLI listens on the host's own loopback.
            return Ok(BrowserReturn { command, ports: Vec::new(), taken: None });
        }
        match port_forward::listen(&self.provider.callback_ports).await {
            Ok(ports) => Ok(BrowserReturn { command, ports, taken: None }),
            Err(taken) if can_paste => Ok(BrowserReturn { command, ports: Vec::new(), taken: Some(taken) }),
            Err(taken) if !headless.is_empty() => {
                self.ui.show(Event::Warning(&format!("{taken}; logging in without it")));
                Ok(without)
            }
            Err(taken) => Err(LoginError::PortTaken(taken)),
        }
    }

    async fn session(
        &self,
        container: &Container,
        plan: Plan,
        files: &Path,
        until: &mut Deadline<'_>,
    ) -> Result<RunEnd, LoginError> {
        let Plan { console, way, .. } = plan;
        if let Some(ending) = until.expired() {
            return Ok(RunEnd::Interrupted(ending));
        }
        self.ui.show(Event::Starting { banner: self.provider.banner_hint.as_deref() });
        if let Some(taken) = &way.taken {
            let text = format!(
                "{taken}: the browser will show an error page, or that program's, at the end; \
                 its address is then asked for here"
            );
            self.ui.show(Event::Warning(&text));
        }
        let attached: Attached = match until.run(container.attach()).await {
            Ok(attached) => attached?,
            Err(ending) => return Ok(RunEnd::Interrupted(ending)),
        };
        match until.run(container.start()).await {
            Ok(started) => started?,
            Err(ending) => return Ok(RunEnd::Interrupted(ending)),
        }
        let ports = way.ports.into_iter();
        let forwards: Vec<PortForward> =
            ports.map(|(port, listener)| PortForward::start(port, listener, container.clone())).collect();
        let session = Session {
            container,
            files,
            map: &self.provider.capture,
            taken: way.taken,
            limit: until.limit,
            deadline: until.end,
            ui: self.ui,
        };
        let ending = session.run(attached, console, until.interrupt).await;
        for forward in forwards {
            forward.close().await;
        }
        ending.map(RunEnd::Ended)
    }

    /// Stores what was captured. Something captured counts, however the CLI ended.
    async fn store_captured(
        &self,
        store: &SharedStore,
        captured: Result<Option<Captured>, CaptureError>,
        ending: Result<Ending, LoginError>,
        found: Vec<String>,
        interrupt: &mut CancelToken,
    ) -> Result<Record, LoginError> {
        let because = match captured {
            Ok(Some(Captured { credential, metadata, .. })) => {
                return store::store_with_retry(
                    store,
                    self.address,
                    &credential,
                    &metadata,
                    self.ui,
                    interrupt,
                )
                .await;
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

struct Plan {
    spec: ContainerSpec,
    console: Console,
    way: BrowserReturn,
}

struct BrowserReturn {
    command: Vec<String>,
    ports: Vec<(u16, tokio::net::TcpListener)>,
    taken: Option<PortUnavailable>,
}

/// An engine that was reached, and what it needs to run the login.
struct ConnectedEngine {
    engine: Engine,
    image: Image,
    passthrough: Passthrough,
}

enum Image {
    There(String),
    ToBuild(Recipe),
}

/// How far the vendor's CLI came.
enum RunEnd {
    /// It has ended, or was ended.
    Ended(Ending),
    /// It may still run, or start.
    Interrupted(Ending),
}

impl RunEnd {
    fn ending(self) -> Ending {
        match self {
            Self::Ended(ending) | Self::Interrupted(ending) => ending,
        }
    }
}

/// A login that is over, but for what it left.
struct LoginResult {
    kept: Result<Record, LoginError>,
    /// The container, if there was one.
    removed: Result<(), String>,
}

/// There may be a container.
pub(super) fn engine_silent(doing: &str) -> Result<(), String> {
    Err(format!("{doing} the login's container: the engine does not answer"))
}

/// The error of a login that was over before its CLI could write anything.
fn without_credential(ending: Ending) -> LoginError {
    match ending {
        Ending::Interrupted => UiError::Interrupted.into(),
        ending => LoginError::NothingCaptured { ending, found: Vec::new(), because: None },
    }
}
