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

/// The browser's return to a CLI; the default is none.
#[derive(Default)]
pub(super) struct BrowserReturn {
    /// The ports to forward.
    pub(super) ports: Vec<(u16, TcpListener)>,
    /// The port that cannot be forwarded: the redirect must be pasted.
    pub(super) unavailable: Option<PortUnavailable>,
}

impl ContainerLogin<'_> {
    /// Chooses the command and listens on the ports. `can_paste`: a person types at a terminal.
    pub(super) async fn browser_return(
        &self,
        network: Option<&str>,
        can_paste: bool,
    ) -> Result<(Vec<String>, BrowserReturn), LoginError> {
        let (command, headless) = (self.provider.command.clone(), self.provider.headless_command.clone());
        let browser_returns = self.context.ui().browser_can_return() && !self.options.headless;
        if !headless.is_empty() && !browser_returns {
            return Ok((headless, BrowserReturn::default()));
        }
        if network == Some("host") {
            // The CLI listens on the host's own loopback.
            return Ok((command, BrowserReturn::default()));
        }
        match listen_on_all(&self.provider.callback_ports).await {
            Ok(ports) => Ok((command, BrowserReturn { ports, unavailable: None })),
            Err(unavailable) if can_paste => {
                Ok((command, BrowserReturn { ports: Vec::new(), unavailable: Some(unavailable) }))
            }
            Err(unavailable) if !headless.is_empty() => {
                let text = format!("{unavailable}; using the login without a redirect");
                self.context.ui().show(Event::Warning(&text));
                Ok((headless, BrowserReturn::default()))
            }
            Err(unavailable) => Err(LoginError::PortTaken(unavailable)),
        }
    }
}

async fn listen_on_all(ports: &[u16]) -> Result<Vec<(u16, TcpListener)>, PortUnavailable> {
    let mut listeners = Vec::new();
    for &port in ports {
        listeners.push((port, loopback::listen(port).await?));
    }
    Ok(listeners)
}
