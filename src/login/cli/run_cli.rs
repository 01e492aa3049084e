//! Runs the vendor's CLI in a created container: forward ports, session.

use super::{ContainerLogin, forward::Forwards, guard::LoginGuard, plan::Plan, session::Session};
use crate::{
    engine::{EngineError, attach::Attached},
    login::{LoginError, deadline::Deadline, error::Ending},
    ui::Event,
};

impl ContainerLogin<'_> {
    /// Runs the CLI of `plan`, which has been launched, until the CLI or the login ends. Unless the CLI exited, it may
    /// still run.
    pub(super) async fn run_cli(
        &self,
        guard: &LoginGuard,
        attached: Attached,
        plan: Plan,
        deadline: &mut Deadline<'_>,
    ) -> Result<Ending, LoginError> {
        let Plan { console, ports, .. } = plan;
        let container =
            guard.running().ok_or_else(|| EngineError::timed_out("start the login's container"))?;
        self.context.ui().show(Event::Starting { banner: self.provider.banner_hint.as_deref() });
        let mut forwards = ports.map(|ports| Forwards::start(container, ports));
        let session = Session {
            container,
            files: guard.login_files(),
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
