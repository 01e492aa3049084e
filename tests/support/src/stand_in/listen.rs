//! Serving on one address, by http or https, and saying where.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::tls::{self, TlsListener};

/// Where a stand-in is found, and under which names.
#[derive(Args)]
pub struct Place {
    /// Where to listen; the first line of stdout says which port it became
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Serve https, with a certificate for this host name (repeatable)
    #[arg(long = "name", value_name = "HOST", requires = "ca_out")]
    names: Vec<String>,
    /// Where to write the certificate of the authority that signed the one for the names
    #[arg(long, value_name = "FILE", requires = "names")]
    ca_out: Option<PathBuf>,
}

impl Place {
    /// Serves until SIGTERM or SIGINT comes. `listening on SCHEME://ADDRESS` is the first line of stdout.
    pub async fn serve(self, routes: Router) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            result = self.serve_for_ever(routes) => result,
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    }

    async fn serve_for_ever(self, routes: Router) -> std::io::Result<()> {
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        match self.ca_out {
            None => {
                announce("http", address)?;
                axum::serve(listener, routes).await
            }
            Some(ca_out) => {
                let (config, ca) = tls::certify(self.names).map_err(std::io::Error::other)?;
                std::fs::write(ca_out, ca)?;
                announce("https", address)?;
                axum::serve(TlsListener::new(listener, config)?, routes).await
            }
        }
    }
}

fn announce(scheme: &str, address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {scheme}://{address}")?;
    out.flush()
}
