//! The vendor's own login, in a throwaway container.

use std::{path::Path, time::Duration};

use super::{
    How, LoginError,
    callback::{self, Forward, Taken},
    dir::LoginDir,
    error::Ending,
    interrupt::{Asked, Interrupt},
    lock::LoginLock,
    session::Session,
    sweep,
};
use crate::{
    capture::{self, CaptureError, Captured, Owner},
    credential::Record,
    engine::{
        self, Container, ContainerSpec, Engine, EngineError, Passthrough, attach::Attached,
        containerfile::Recipe,
    },
    name::Address,
    paths::Paths,
    project::Project,
    provider::{Provider, run_args::RunArgs},
    store::{SharedStore, Store},
    ui::{Console, Event, Ui, UiError},
};

/// How long a login may take when nothing else is said.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);

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
    pub how: &'a How,
    /// Where it is stored, in place of the data directory.
    pub store: Option<&'a SharedStore>,
    /// Whom to ask and show.
    pub ui: &'a dyn Ui,
}

/// What is there before the container is.
struct Prepared {
    engine: Engine,
    image: String,
    passthrough: Passthrough,
}

impl ContainerLogin<'_> {
    /// Runs the login, stores what it left and reads it back.
    ///
    /// # Errors
    /// Any [`LoginError`]. Whatever happened, the container and the directory are gone afterwards.
    pub async fn run(&self, interrupt: &mut Interrupt) -> Result<Record, LoginError> {
        let mut lock = LoginLock::take(self.paths, self.address)?;
        // Opened before the vendor gives anything out: what cannot be stored must not be asked for.
        let store = match self.store {
            Some(store) => store.clone(),
            None => SharedStore::new(Store::open(self.paths.data())?),
        };
        let prepared = tokio::select! {
            prepared = self.prepare() => prepared?,
            () = wants_out(interrupt) => return Err(UiError::Interrupted.into()),
        };
        lock.set_engine(prepared.engine.url())?;
        let dir = LoginDir::make(
            self.paths,
            lock.login(),
            self.provider.host_dir_name.as_deref().unwrap_or("files"),
        )?;
        let plan = self.plan(&prepared, lock.login(), dir.path()).await?;
        let container = match prepared.engine.create(&plan.spec).await {
            Ok(container) => container,
            Err(error) => {
                // The answer may have been lost, and the container be there all the same.
                if sweep::remove_containers(prepared.engine.url(), lock.login()).await.is_err() {
                    lock.leave_for_sweep();
                }
                return Err(error.into());
            }
        };
        let ending = self.session(&container, plan, dir.path(), interrupt).await;
        if ending.is_err() {
            // The engine broke off: nothing may write any more while the files are read.
            let _ = container.kill().await;
        }
        let captured = capture::read(dir.path(), &self.provider.capture, Owner::us());
        let found = capture::names(dir.path());
        let kept = self.keep(&store, captured, ending, found);
        if let Err(error) = container.remove().await {
            self.ui.show(Event::Warning(&format!("{error}; a later run tries again")));
            lock.leave_for_sweep();
        }
        kept
    }

    /// The engine, the image and what the network needs. Makes nothing that would have to be cleaned up.
    async fn prepare(&self) -> Result<Prepared, LoginError> {
        let project_engine = || self.project.engine.as_deref().map(str::parse).transpose();
        let choice = match &self.how.engine {
            Some(choice) => choice.clone(),
            None => project_engine()?.unwrap_or_default(),
        };
        let bundle = self.how.ca_bundle.as_deref().or(self.project.ca_bundle.as_deref().map(Path::new));
        let passthrough = Passthrough::from_env(bundle)?;
        let engine = engine::locate::connect(&choice).await?;
        let image = self.image(&engine, &passthrough).await?;
        Ok(Prepared { engine, image, passthrough })
    }

    /// The image asked for, or else the provider's, built first if need be.
    async fn image(&self, engine: &Engine, passthrough: &Passthrough) -> Result<String, LoginError> {
        if let Some(image) = self.how.image.as_ref().or(self.project.image.as_ref()) {
            return Ok(image.clone());
        }
        let Some(image) = &self.provider.image else {
            let directory = self.paths.images().display().to_string();
            return Err(EngineError::NoContainerfile { name: self.provider.name.clone(), directory }.into());
        };
        let recipe = Recipe::find(&image.name, image.version.as_deref(), &self.paths.images())?;
        let tag = recipe.tag();
        if engine.has_image(&tag).await? {
            return Ok(tag);
        }
        self.ui.show(Event::BuildStarted { image: &tag });
        let network = self.project.network.as_deref().filter(|network| !network.starts_with("container:"));
        let built =
            engine.build(&recipe, passthrough, network, |line| self.ui.show(Event::BuildLine(line))).await;
        self.ui.show(Event::BuildDone);
        Ok(built?)
    }

    /// The container to be, its console, and the way back for the browser.
    async fn plan(&self, prepared: &Prepared, login: &str, files: &Path) -> Result<Plan, LoginError> {
        let console = self.ui.console().map_err(UiError::Io)?;
        let args = RunArgs::parse(&self.provider.extra_run_args).unwrap_or_default();
        let network = self.project.network.clone().or(args.network);
        let can_paste = console.terminal.is_some() && console.input.is_some();
        let way = self.way_back(network.as_deref(), can_paste).await?;
        let mut env: Vec<(String, String)> = prepared.passthrough.env();
        if console.terminal.is_some() {
            env.extend(std::env::var("TERM").map(|term| ("TERM".to_owned(), term)));
        }
        env.extend(self.provider.env.clone());
        env.extend(args.env);
        env.extend(self.project.env.clone());
        let spec = ContainerSpec {
            name: format!("authenticate-{login}"),
            login: login.to_owned(),
            image: prepared.image.clone(),
            command: way.command.clone(),
            env,
            host_dir: files.to_owned(),
            mount: self.provider.container_mount.clone().unwrap_or_default(),
            tmpfs: args.tmpfs,
            publish: args.publish,
            network,
            extra_hosts: args.add_host.into_iter().chain(self.project.extra_hosts.clone()).collect(),
            ca_bundle: prepared.passthrough.ca_bundle.clone(),
            terminal: console.terminal.as_ref().map(|terminal| *terminal.size.borrow()),
        };
        Ok(Plan { spec, console, way })
    }

    /// Decides how the browser comes back: through forwarded ports, by paste, or not at all.
    async fn way_back(&self, network: Option<&str>, can_paste: bool) -> Result<WayBack, LoginError> {
        let headless = &self.provider.headless_command;
        let without = WayBack { command: headless.clone(), ports: Vec::new(), taken: None };
        let reachable = self.ui.browser_can_return() && !self.how.headless;
        if !headless.is_empty() && !reachable {
            return Ok(without);
        }
        let command = self.provider.command.clone();
        if network == Some("host") {
            // The CLI listens on the host's own loopback.
            return Ok(WayBack { command, ports: Vec::new(), taken: None });
        }
        match callback::listen(&self.provider.callback_ports).await {
            Ok(ports) => Ok(WayBack { command, ports, taken: None }),
            Err(taken) if can_paste => Ok(WayBack { command, ports: Vec::new(), taken: Some(taken) }),
            Err(taken) if !headless.is_empty() => {
                let port = taken.port;
                let by = taken.holder.map(|holder| format!(" by {holder}")).unwrap_or_default();
                let text = format!("port {port} of 127.0.0.1 is taken{by}; logging in without it");
                self.ui.show(Event::Warning(&text));
                Ok(without)
            }
            Err(Taken { port, holder }) => Err(LoginError::PortTaken { port, holder }),
        }
    }

    async fn session(
        &self,
        container: &Container,
        plan: Plan,
        files: &Path,
        interrupt: &mut Interrupt,
    ) -> Result<Ending, LoginError> {
        let Plan { console, way, .. } = plan;
        if interrupt.so_far() != Asked::Nothing {
            return Ok(Ending::Interrupted);
        }
        self.ui.show(Event::Starting { banner: self.provider.banner_hint.as_deref() });
        if let Some(Taken { port, holder }) = &way.taken {
            let by = holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default();
            let text = format!(
                "port {port} of 127.0.0.1 is taken{by}: the browser will show an error page, or that program's, at the end; \
                 its address is then asked for here"
            );
            self.ui.show(Event::Warning(&text));
        }
        let attached: Attached = container.attach().await?;
        container.start().await?;
        let ports = way.ports.into_iter();
        let _forwards: Vec<Forward> =
            ports.map(|(port, listener)| Forward::start(port, listener, container.clone())).collect();
        let session = Session {
            container,
            files,
            map: &self.provider.capture,
            taken: way.taken,
            limit: self.how.timeout.unwrap_or(DEFAULT_LIMIT),
            ui: self.ui,
        };
        session.run(attached, console, interrupt).await
    }

    /// Stores what was captured. Something captured counts, however the CLI ended.
    fn keep(
        &self,
        store: &SharedStore,
        captured: Result<Option<Captured>, CaptureError>,
        ending: Result<Ending, LoginError>,
        found: Vec<String>,
    ) -> Result<Record, LoginError> {
        let because = match captured {
            Ok(Some(Captured { credential, metadata, .. })) => {
                return Ok(store.lock().put(self.address, &credential, &metadata)?);
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

struct Plan {
    spec: ContainerSpec,
    console: Console,
    way: WayBack,
}

struct WayBack {
    command: Vec<String>,
    ports: Vec<(u16, tokio::net::TcpListener)>,
    taken: Option<Taken>,
}

async fn wants_out(interrupt: &mut Interrupt) {
    while interrupt.asked().await == Asked::Nothing {}
}
