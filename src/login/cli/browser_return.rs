//! Decides how the browser returns to the CLI: through forwarded ports, by paste, or not at all.

use tokio::net::TcpListener;

use super::ContainerLogin;
use crate::{
    login::{
        LoginError,
        loopback::{self, PortUnavailable},
    },
    ui::Event,
};

/// The CLI's command, and the browser's return that it needs.
pub(super) struct BrowserReturn {
    pub(super) command: Vec<String>,
    /// The ports to forward.
    pub(super) ports: Vec<(u16, TcpListener)>,
    /// The port that cannot be forwarded: the redirect must be pasted.
    pub(super) unavailable: Option<PortUnavailable>,
}

impl BrowserReturn {
    fn none(command: &[String]) -> Self {
        Self { command: command.to_owned(), ports: Vec::new(), unavailable: None }
    }
}

impl ContainerLogin<'_> {
    /// Chooses the command and listens on the ports. `can_paste`: a person types at a terminal.
    pub(super) async fn browser_return(
        &self,
        network: Option<&str>,
        can_paste: bool,
    ) -> Result<BrowserReturn, LoginError> {
        let (command, headless) = (&self.provider.command, &self.provider.headless_command);
        let browser_returns = self.context.ui().browser_can_return() && !self.options.headless;
        if !headless.is_empty() && !browser_returns {
            return Ok(BrowserReturn::none(headless));
        }
        if network == Some("host") {
            // The CLI listens on the host's own loopback.
            return Ok(BrowserReturn::none(command));
        }
        match loopback::listen(&self.provider.callback_ports).await {
            Ok(ports) => Ok(BrowserReturn { ports, ..BrowserReturn::none(command) }),
            Err(unavailable) if can_paste => {
                Ok(BrowserReturn { unavailable: Some(unavailable), ..BrowserReturn::none(command) })
            }
            Err(unavailable) if !headless.is_empty() => {
                let text = format!("{unavailable}; using the login without a redirect");
                self.context.ui().show(Event::Warning(&text));
                Ok(BrowserReturn::none(headless))
            }
            Err(unavailable) => Err(LoginError::PortTaken(unavailable)),
        }
    }
}
