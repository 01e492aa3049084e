//! Ports of this machine's loopback.

use std::{
    fmt,
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::Poll,
};

use listeners::{Listener, Protocol, SocketState};
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};

use crate::blocking;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// The number of ports that are tried where any will do.
const TRIES: usize = 16;

/// A port that this process listens on, at each address where a browser may ask for it.
#[derive(Debug)]
pub struct LoopbackPort {
    port: u16,
    sockets: Vec<TcpListener>,
}

/// A port of the loopback that this process cannot listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortUnavailable {
    /// The address.
    pub address: IpAddr,
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
        match self.address {
            IpAddr::V4(address) => write!(f, "port {} of {address} ", self.port)?,
            IpAddr::V6(address) => write!(f, "port {} of [{address}] ", self.port)?,
        }
        match &self.reason {
            PortError::Held(Some(holder)) => write!(f, "is taken by {holder}"),
            PortError::Held(None) => write!(f, "is taken"),
            PortError::NotPermitted(why) => write!(f, "cannot be used ({why})"),
        }
    }
}

impl PortUnavailable {
    /// Makes the error for a port that is not listened on.
    pub(in crate::login) fn not_permitted(port: u16, why: String) -> Self {
        Self { address: V4, port, reason: PortError::NotPermitted(why) }
    }

    /// Says what becomes of the browser, and what the person has to do.
    pub(in crate::login) fn paste_instead(&self) -> String {
        let program = match &self.reason {
            PortError::Held(_) => ", and the browser brings the vendor's response to that program",
            PortError::NotPermitted(_) => "",
        };
        format!("{self}{program}: paste the address that the browser ends at")
    }
}

impl LoopbackPort {
    /// Listens on a port, 0 for any, at all addresses of `host`: a name or address of the loopback, as in a URL. A
    /// browser asks for `localhost` at `::1` first. If another program listened there, it would get the response.
    ///
    /// # Errors
    /// The reason why the port is unavailable at one of them.
    pub async fn listen(host: &str, port: u16) -> Result<Self, PortUnavailable> {
        let addresses: &[IpAddr] = match host {
            "127.0.0.1" => &[V4],
            "[::1]" => &[V6],
            _ => &[V4, V6],
        };
        let mut tries = if port == 0 { TRIES } else { 1 };
        loop {
            tries -= 1;
            match Self::listen_at(addresses, port).await {
                Err(PortUnavailable { reason: PortError::Held(_), .. }) if tries > 0 => {}
                listening => return listening,
            }
        }
    }

    async fn listen_at(addresses: &[IpAddr], mut port: u16) -> Result<Self, PortUnavailable> {
        let mut sockets = Vec::new();
        for &address in addresses {
            let bound = TcpListener::bind((address, port)).await;
            let bound = bound.and_then(|socket| Ok((socket.local_addr()?.port(), socket)));
            let reason = match bound {
                Ok((bound_port, socket)) => {
                    port = bound_port;
                    sockets.push(socket);
                    continue;
                }
                // This machine has no IPv6: no browser asks there.
                Err(error) if !sockets.is_empty() && has_no_such_address(&error) => continue,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    PortError::Held(blocking::run(move || holder(SocketAddr::new(address, port))).await)
                }
                Err(error) => PortError::NotPermitted(error.to_string()),
            };
            return Err(PortUnavailable { address, port, reason });
        }
        Ok(Self { port, sockets })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Accepts the next connection at any of the addresses.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        poll_fn(|context| {
            let accepted = self.sockets.iter().find_map(|socket| match socket.poll_accept(context) {
                Poll::Ready(accepted) => Some(accepted),
                Poll::Pending => None,
            });
            accepted.map_or(Poll::Pending, |accepted| Poll::Ready(accepted.map(|(connection, _)| connection)))
        })
        .await
    }
}

fn has_no_such_address(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT))
}

/// Returns the name and id of the process that listens there.
fn holder(wanted: SocketAddr) -> Option<String> {
    let all = listeners::get_all().ok()?;
    let is_it = |listener: &Listener| {
        let ip = listener.socket.ip().to_canonical();
        // Only a socket of IPv6 can hold addresses of both versions.
        let is_unspecified = ip.is_unspecified() && (ip.is_ipv6() || wanted.is_ipv4());
        listener.socket.port() == wanted.port()
            && listener.protocol == Protocol::TCP
            && listener.state == SocketState::Listen
            && (ip == wanted.ip() || is_unspecified)
    };
    let found = all.into_iter().find(is_it)?;
    Some(format!("{} (process {})", found.process.name, found.process.pid))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn holder_ignores_datagram_sockets_and_other_addresses_with_the_same_port() {
        for (address, others) in [(V4, &["127.0.0.2:0", "[::1]:0"][..]), (V6, &["0.0.0.0:0"])] {
            let held = TcpListener::bind((address, 0)).expect("a port");
            let wanted = held.local_addr().expect("an address");
            let us = holder(wanted).expect("somebody");
            assert!(us.contains(&format!("(process {})", std::process::id())), "{us}");
            drop(held);
            let _datagrams = UdpSocket::bind(wanted).expect("free");
            let elsewhere = others.iter().map(|other| {
                let mut other: SocketAddr = other.parse().expect("an address");
                other.set_port(wanted.port());
                TcpListener::bind(other).expect("free")
            });
            let _elsewhere: Vec<TcpListener> = elsewhere.collect();
            assert_eq!(holder(wanted), None, "{address}");
        }
    }

    #[tokio::test]
    async fn port_of_localhost_is_unavailable_if_either_address_is_held() {
        for address in [V4, V6] {
            let held = TcpListener::bind((address, 0)).expect("a port");
            let port = held.local_addr().expect("an address").port();
            let unavailable = LoopbackPort::listen("localhost", port).await.expect_err("held");
            assert_eq!((unavailable.address, unavailable.port), (address, port));
            let held_as = if address == V4 { "127.0.0.1" } else { "[::1]" };
            let other = if address == V4 { "[::1]" } else { "127.0.0.1" };
            assert!(LoopbackPort::listen(held_as, port).await.is_err());
            assert!(LoopbackPort::listen(other, port).await.is_ok());
        }
    }
}
