//! Ports of 127.0.0.1.

use std::{fmt, io, net::Ipv4Addr};

use listeners::{Listener, Protocol, SocketState};
use tokio::net::TcpListener;

use crate::blocking;

/// A port of 127.0.0.1 that this process cannot listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortUnavailable {
    /// The port.
    pub port: u16,
    /// The reason.
    pub reason: PortError,
}

/// The reason why a port is unavailable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortError {
    /// Another program listens on it: its name and process id, where they are known.
    Held(Option<String>),
    /// The system refused, with this message.
    NotPermitted(String),
}

impl fmt::Display for PortUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {} of 127.0.0.1 ", self.port)?;
        match &self.reason {
            PortError::Held(Some(holder)) => write!(f, "is taken by {holder}"),
            PortError::Held(None) => write!(f, "is taken"),
            PortError::NotPermitted(why) => write!(f, "cannot be used ({why})"),
        }
    }
}

/// Listens on a port of 127.0.0.1; 0 is any port.
///
/// # Errors
/// The reason why the port is unavailable.
pub async fn listen(port: u16) -> Result<TcpListener, PortUnavailable> {
    let reason = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => return Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            PortError::Held(blocking::run(move || holder(port)).await)
        }
        Err(error) => PortError::NotPermitted(error.to_string()),
    };
    Err(PortUnavailable { port, reason })
}

/// Returns the name and id of the process that listens on a port of 127.0.0.1.
fn holder(port: u16) -> Option<String> {
    let all = listeners::get_all().ok()?;
    let is_it = |listener: &Listener| {
        let ip = listener.socket.ip().to_canonical();
        listener.socket.port() == port
            && listener.protocol == Protocol::TCP
            && listener.state == SocketState::Listen
            && (ip == Ipv4Addr::LOCALHOST || ip.is_unspecified())
    };
    let found = all.into_iter().find(is_it)?;
    Some(format!("{} (process {})", found.process.name, found.process.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holder_ignores_datagram_sockets_and_other_addresses_with_the_same_port() {
        let held = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = held.local_addr().expect("an address").port();
        let us = holder(port).expect("somebody");
        assert!(us.contains(&format!("(process {})", std::process::id())), "{us}");
        drop(held);
        let _datagrams = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
        let _elsewhere = std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).expect("free");
        assert_eq!(holder(port), None);
    }
}
