//! Listening, and saying where.

use std::io::Write;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Binds, and prints `listening on SCHEME://ADDRESS` as the first line of stdout.
pub async fn listen(scheme: &str, address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {scheme}://{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

/// Until somebody asks the program to end.
pub async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => (),
            _ = tokio::signal::ctrl_c() => (),
        },
        Err(_) => std::future::pending().await,
    }
}
