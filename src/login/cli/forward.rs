//! Forwards ports of this machine's loopback to a CLI that listens on its container's own.

use std::{collections::HashSet, future::pending, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, split},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use crate::{
    engine::{Container, EngineError},
    login::loopback::{ExpectedCallback, LoopbackPort, Page, PortUnavailable, Server, answer},
};

/// Time for an engine to connect to the CLI.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// The first port that a CLI may choose. Those below are for services of the system.
const FIRST_PORT: u16 = 1024;

const UNREACHABLE: Page = Page {
    status: 502,
    title: "The login could not be reached",
    text: "Nothing was sent to it. The terminal says why; once that is mended, reload this page.",
};

/// The forwarded ports of a login.
pub(super) struct Forwards {
    container: Container,
    described: Vec<(u16, Server)>,
    /// The one that the CLI chose last. It has only one at a time: a browser may know a port for something else.
    chosen: Option<(String, u16, Server)>,
    failed: mpsc::Sender<String>,
    failures: mpsc::Receiver<String>,
    said: HashSet<String>,
}

impl Forwards {
    /// Forwards the ports that the descriptor names.
    pub(super) fn start(container: &Container, ports: Vec<LoopbackPort>) -> Self {
        let (failed, failures) = mpsc::channel(8);
        let start = |port: LoopbackPort| (port.port(), forward(container.clone(), port, failed.clone()));
        let described = ports.into_iter().map(start).collect();
        let container = container.clone();
        Self { container, described, chosen: None, failed, failures, said: HashSet::new() }
    }

    /// Forwards the port of a redirect that the CLI has announced, unless it is forwarded already.
    pub(super) async fn add(&mut self, redirect: &ExpectedCallback) -> Result<(), PortUnavailable> {
        let (host, port) = (redirect.host(), redirect.port());
        let is_described = self.described.iter().any(|(described, _)| *described == port);
        let is_chosen = self.chosen.as_ref().is_some_and(|(at, chosen, _)| at == host && *chosen == port);
        if is_described || is_chosen {
            return Ok(());
        }
        self.chosen = None;
        if port < FIRST_PORT {
            let why = format!("a login may choose ports from {FIRST_PORT} only");
            return Err(PortUnavailable::not_permitted(port, why));
        }
        let listening = LoopbackPort::listen(host, port).await?;
        let server = forward(self.container.clone(), listening, self.failed.clone());
        self.chosen = Some((host.to_owned(), port, server));
        Ok(())
    }

    /// Returns the reason why a browser did not reach the CLI, each once.
    pub(super) async fn failure(&mut self) -> String {
        loop {
            match self.failures.recv().await {
                Some(text) if self.said.insert(text.clone()) => return text,
                Some(_) => {}
                None => pending().await,
            }
        }
    }

    /// Closes the ports, and waits a moment for the last pages to arrive.
    pub(super) async fn close(self) {
        let chosen = self.chosen.into_iter().map(|(_, _, server)| server);
        for server in self.described.into_iter().map(|(_, server)| server).chain(chosen) {
            server.close().await;
        }
    }
}

/// Forwards a port. Each connection runs a command in the container.
fn forward(container: Container, port: LoopbackPort, failed: mpsc::Sender<String>) -> Server {
    let number = port.port();
    Server::start(port, move |connection| {
        let (container, failed) = (container.clone(), failed.clone());
        async move {
            let relay = timeout(CONNECT_LIMIT, container.relay(number)).await;
            match relay.unwrap_or_else(|_| Err(EngineError::timed_out("connect to the login's container"))) {
                Ok(relay) => join(connection, relay).await,
                Err(error) => {
                    let _ = failed.try_send(format!("the browser did not reach the login: {error}"));
                    answer(connection, |_| async { UNREACHABLE.response() }).await;
                }
            }
        }
    })
}

/// Copies in both directions until the CLI closes.
async fn join(mut connection: TcpStream, relay: impl AsyncRead + AsyncWrite) {
    let (mut output, mut input) = split(relay);
    let (mut from, mut to) = connection.split();
    let up = async {
        let _ = copy(&mut from, &mut input).await;
        let _ = input.shutdown().await;
    };
    let down = async {
        let _ = copy(&mut output, &mut to).await;
        let _ = to.shutdown().await;
    };
    tokio::pin!(up, down);
    tokio::select! {
        () = &mut down => {}
        () = &mut up => down.await,
    }
}
