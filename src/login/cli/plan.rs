//! Plans a container login: the container to create, its console and the browser's return.

use std::path::{Path, PathBuf};

use super::{ContainerLogin, prepare::Prepared};
use crate::{
    engine::ContainerSpec,
    login::{
        LoginError,
        loopback::{LoopbackPort, PortUnavailable},
    },
    provider::run_args::RunArgs,
    ui::{Console, Event, UiError},
};

/// A login that is ready to run.
pub(super) struct Plan {
    pub(super) spec: ContainerSpec,
    pub(super) console: Console,
    /// The ports to forward from the start; `None` if the CLI listens on the host's own loopback.
    pub(super) ports: Option<Vec<LoopbackPort>>,
}

impl ContainerLogin<'_> {
    /// Plans the login with this identity, whose CLI writes into `files`.
    pub(super) async fn plan(
        &self,
        prepared: &Prepared,
        login: &str,
        files: &Path,
    ) -> Result<Plan, LoginError> {
        let console = self.context.ui().console().map_err(UiError::Io)?;
        let can_paste = console.terminal.is_some() && console.input.is_some();
        let mut spec = self.spec(prepared, login, Vec::new());
        let ports;
        (spec.command, ports) = self.browser_return(spec.network.as_deref(), can_paste).await?;
        spec.host_dir = files.to_owned();
        spec.linger = ports.is_some();
        if let Some(terminal) = &console.terminal {
            spec.terminal = Some(*terminal.size.borrow());
            // First, so that the provider's and the project's own values replace it.
            let term = std::env::var("TERM").map(|term| ("TERM".to_owned(), term));
            spec.env.splice(0..0, term);
        }
        Ok(Plan { spec, console, ports })
    }

    /// Describes the container for a command of the provider, without directory and terminal.
    pub(super) fn spec(&self, prepared: &Prepared, login: &str, command: Vec<String>) -> ContainerSpec {
        let args = RunArgs::parse(&self.provider.extra_run_args).unwrap_or_default();
        let env = prepared.passthrough.env().into_iter().chain(self.provider.env.clone());
        ContainerSpec {
            name: format!("authenticate-{login}"),
            login: login.to_owned(),
            image: prepared.image.clone(),
            command,
            linger: false,
            env: env.chain(args.env).chain(self.project.env.clone()).collect(),
            host_dir: PathBuf::new(),
            mount: self.provider.container_mount.clone().unwrap_or_default(),
            has_volume: false,
            marker: None,
            tmpfs: args.tmpfs,
            publish: args.publish,
            network: self.project.network.clone().or(args.network),
            extra_hosts: args.add_host.into_iter().chain(self.project.extra_hosts.clone()).collect(),
            ca_bundle: prepared.passthrough.ca_bundle.clone(),
            terminal: None,
        }
    }

    /// Chooses the command and listens on the ports. `can_paste`: a person types at a terminal, who is asked for the
    /// redirect to a port that cannot be forwarded.
    async fn browser_return(
        &self,
        network: Option<&str>,
        can_paste: bool,
    ) -> Result<(Vec<String>, Option<Vec<LoopbackPort>>), LoginError> {
        let (command, headless) = (self.provider.command.clone(), self.provider.headless_command.clone());
        let is_on_host = network == Some("host");
        let browser_returns = self.context.ui().browser_can_return() && !self.options.headless;
        if !headless.is_empty() && !browser_returns {
            return Ok((headless, (!is_on_host).then(Vec::new)));
        }
        if is_on_host {
            return Ok((command, None));
        }
        match listen_on_all(&self.provider.callback_ports).await {
            Ok(ports) => Ok((command, Some(ports))),
            Err(_) if can_paste => Ok((command, Some(Vec::new()))),
            Err(unavailable) if !headless.is_empty() => {
                let text = format!("{unavailable}; using the login without a redirect");
                self.context.ui().show(Event::Warning(&text));
                Ok((headless, Some(Vec::new())))
            }
            Err(unavailable) => Err(LoginError::PortTaken(unavailable)),
        }
    }
}

/// Listens for redirects to `localhost`: a descriptor names no host.
async fn listen_on_all(ports: &[u16]) -> Result<Vec<LoopbackPort>, PortUnavailable> {
    let mut listening = Vec::new();
    for &port in ports {
        listening.push(LoopbackPort::listen("localhost", port).await?);
    }
    Ok(listening)
}
