//! Forwards ports of 127.0.0.1 to a CLI that listens on its container's own loopback.

use std::time::Duration;

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{engine::Container, login::loopback::MAX_CONNECTIONS};

/// Time for the last page to get to the browser after the CLI has ended.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// A port of 127.0.0.1 that leads into a container; closed when dropped.
pub(super) struct PortForward {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl PortForward {
    /// Forwards every connection to `listener` to the same port of the container's loopback.
    pub(super) fn start(port: u16, listener: TcpListener, container: Container) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(forward(port, listener, container, stopped));
        Self { task, stop: Some(stop) }
    }

    /// Accepts no more connections, and waits a moment for the open ones to bring the browser the CLI's last page.
    pub(super) async fn close(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = tokio::time::timeout(LAST_PAGE, &mut self.task).await;
    }
}

impl Drop for PortForward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(port: u16, listener: TcpListener, container: Container, mut stopped: oneshot::Receiver<()>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((connection, _)) if connections.len() < MAX_CONNECTIONS => {
                    let container = container.clone();
                    connections.spawn(async move { drop(container.join(port, connection).await) });
                }
                // Each connection runs a command in the container, and anybody on this machine can connect.
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
