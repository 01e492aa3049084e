//! Runs the vendor's CLI in a created container: attach, start, forward ports, session.

use std::path::Path;

use super::{ContainerLogin, forward::Forwards, plan::Plan, session::Session};
use crate::{
    engine::Container,
    login::{LoginError, deadline::Deadline, error::Ending},
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
        let Plan { console, ports, .. } = plan;
        let attached = match deadline.run(container.attach()).await {
            Ok(attached) => attached?,
            Err(ending) => return Ok(ending),
        };
        self.context.ui().show(Event::Starting { banner: self.provider.banner_hint.as_deref() });
        match deadline.run(container.start()).await {
            Ok(started) => started?,
            Err(ending) => return Ok(ending),
        }
        let mut forwards = ports.map(|ports| Forwards::start(container, ports));
        let session = Session {
            container,
            files,
            map: &self.provider.capture,
            forwards: forwards.as_mut(),
            ui: self.context.ui(),
            is_opened: false,
        };
        let ending = session.run(attached, console, deadline).await;
        if let Some(forwards) = forwards {
            forwards.close().await;
        }
        ending
    }
}
