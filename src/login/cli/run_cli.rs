//! Runs the vendor's CLI in a created container: attach, start, forward ports, session.

use std::path::Path;

use tokio::net::TcpListener;

use super::{ContainerLogin, plan::Plan, session::Session};
use crate::{
    engine::Container,
    login::{LoginError, deadline::Deadline, error::Ending, loopback::Server},
    ui::Event,
};

impl ContainerLogin<'_> {
    /// Runs the CLI of `plan`, whose files land in `files`, until the CLI or the login ends. Unless the CLI exited, it may
    /// still run, or start.
    pub(super) async fn run_cli(
        &self,
        container: &Container,
        plan: Plan,
        files: &Path,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let Plan { console, browser, .. } = plan;
        let attached = match deadline.run(container.attach()).await {
            Ok(attached) => attached?,
            Err(ending) => return Ok(ending),
        };
        self.context.ui().show(Event::Starting { banner: self.provider.banner_hint.as_deref() });
        if let Some(unavailable) = &browser.unavailable {
            let text = format!(
                "{unavailable}: the browser will end at an error page, or at a page of that program; \
                 paste the address of that page here when asked"
            );
            self.context.ui().show(Event::Warning(&text));
        }
        match deadline.run(container.start()).await {
            Ok(started) => started?,
            Err(ending) => return Ok(ending),
        }
        let forward = |(port, listener)| forward(port, listener, container.clone());
        let forwards: Vec<Server> = browser.ports.into_iter().map(forward).collect();
        let session = Session {
            container,
            files,
            map: &self.provider.capture,
            unavailable: browser.unavailable,
            ui: self.context.ui(),
            is_opened: false,
        };
        let ending = session.run(attached, console, deadline).await;
        for forward in forwards {
            forward.close().await;
        }
        ending
    }
}

/// Forwards a port of 127.0.0.1 to a CLI that listens on its container's own loopback. Each connection runs a command in
/// the container.
fn forward(port: u16, listener: TcpListener, container: Container) -> Server {
    Server::start(listener, move |connection| {
        let container = container.clone();
        async move { drop(container.join(port, connection).await) }
    })
}
