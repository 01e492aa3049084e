//! Serves browsers on a port of the loopback during one login.

use std::time::Duration;

use tokio::{net::TcpStream, sync::oneshot, task::JoinSet};

use super::LoopbackPort;

/// The number of connections that a port accepts at once; no browser opens as many, but any program on this machine can.
const MAX_CONNECTIONS: usize = 64;
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);
/// Time for the last page to get to the browser.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// A server; its port and all connections are closed when it is dropped.
pub(in crate::login) struct Server {
    task: JoinSet<()>,
    stop: oneshot::Sender<()>,
}

impl Server {
    /// Calls `serve` for each connection to `port`.
    pub(in crate::login) fn start<F: Future<Output = ()> + Send + 'static>(
        port: LoopbackPort,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(accept(port, serve, stopped));
        Self { task, stop }
    }

    /// Accepts no more connections, and waits a moment for the open ones to bring the browser its last page.
    pub(in crate::login) async fn close(mut self) {
        drop(self.stop);
        let _ = tokio::time::timeout(LAST_PAGE, self.task.join_next()).await;
    }
}

async fn accept<F: Future<Output = ()> + Send + 'static>(
    port: LoopbackPort,
    serve: impl Fn(TcpStream) -> F,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = port.accept() => match accepted {
                Ok(connection) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(serve(connection));
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(port);
    while connections.join_next().await.is_some() {}
}
