//! The browser's way back to a CLI that listens on its container's own loopback.

use std::{fmt, io, net::Ipv4Addr, time::Duration};

use listeners::{Listener, Protocol, SocketState};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
};
use url::Url;

use crate::{
    engine::{Container, EngineError},
    login::oauth::redirect_server::MOST,
};

/// How long the CLI may take to answer a redirect that was pasted.
const ANSWER: Duration = Duration::from_secs(20);

/// How long the last page may take to reach the browser after the CLI has ended.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// A port of 127.0.0.1 that leads into a container; closed when dropped.
pub struct PortForward {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

/// A port that is not ours to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortUnavailable {
    /// The port.
    pub port: u16,
    /// Why it is not.
    pub reason: PortError,
}

/// Why a port is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortError {
    /// Somebody else listens there: this process, where it is known.
    Held(Option<String>),
    /// The system does not let us: its words.
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

/// Takes ports of 127.0.0.1, before there is a container that they lead into.
pub async fn listen(ports: &[u16]) -> Result<Vec<(u16, TcpListener)>, PortUnavailable> {
    let mut listeners = Vec::new();
    for &port in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listeners.push((port, listener)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(PortUnavailable { port, reason: PortError::Held(holder(port)) });
            }
            Err(error) => {
                return Err(PortUnavailable { port, reason: PortError::NotPermitted(error.to_string()) });
            }
        }
    }
    Ok(listeners)
}

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

impl PortForward {
    /// Leads every connection to `listener` to the same port of the container's loopback.
    pub fn start(port: u16, listener: TcpListener, container: Container) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((connection, _)) if connections.len() < MOST => {
                            let container = container.clone();
                            connections.spawn(async move { drop(container.join(port, connection).await) });
                        }
                        // Each costs a command in the container, and whoever is on this machine can connect.
                        Ok(_) => {}
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    },
                    Some(_) = connections.join_next() => {}
                    _ = &mut stopped => break,
                }
            }
            drop(listener);
            while connections.join_next().await.is_some() {}
        });
        Self { task, stop: Some(stop) }
    }

    /// Takes no more connections, and lets those that there are bring the browser what the CLI said last.
    pub async fn close(mut self) {
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

/// Where a login URL sends the browser back to (RFC 6749 section 4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedCallback {
    redirect: Url,
    state: Option<String>,
}

impl ExpectedCallback {
    /// Of a login that we started ourselves.
    pub fn new(redirect: Url, state: Option<String>) -> Self {
        Self { redirect, state }
    }

    /// The state, if it is not part of the path.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The address itself.
    pub fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// Reads the `redirect_uri` and `state` of a login URL; `None` when it does not come back to the loopback.
    pub fn of(login_url: &str) -> Option<Self> {
        let url = Url::parse(login_url).ok()?;
        let query =
            |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        let redirect = Url::parse(&query("redirect_uri")?).ok()?;
        parse_expected(&redirect).then(|| Self { redirect, state: query("state") })
    }

    /// The port that the browser comes back to.
    pub fn port(&self) -> u16 {
        self.redirect.port_or_known_default().unwrap_or(80)
    }

    /// Checks a pasted redirect, the whole URL or its query; the path and query to replay.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn check(&self, pasted: &str) -> Result<String, &'static str> {
        let pasted = pasted.trim();
        let url = match pasted.strip_prefix('?') {
            Some(query) => {
                let mut url = self.redirect.clone();
                url.set_query(Some(query));
                url
            }
            None => Url::parse(pasted).map_err(|_| "that is not a URL")?,
        };
        if !parse_expected(&url) || url.port_or_known_default() != self.redirect.port_or_known_default() {
            return Err("that is not the address that this login comes back to");
        }
        if !constant_time_eq(url.path(), self.redirect.path()) {
            return Err("that is not the page that this login comes back to");
        }
        let query =
            |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        let state = query("state").unwrap_or_default();
        if self.state.as_ref().is_some_and(|expected| !constant_time_eq(expected, &state)) {
            return Err(
                "its state is not the one that this login was started with: it belongs to another login",
            );
        }
        if query("code").is_none() && query("error").is_none() {
            return Err("there is no code in it");
        }
        Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
    }
}

/// Whether a line is meant as a redirect, right or wrong, and not as something for the CLI.
pub fn looks_like_redirect(line: &str) -> bool {
    line.starts_with('?') || ["://", "code=", "state="].iter().any(|part| line.contains(part))
}

/// Compares in a time that does not tell how much of it is right.
pub(in crate::login) fn constant_time_eq(expected: &str, given: &str) -> bool {
    let (expected, given) = (expected.as_bytes(), given.as_bytes());
    let different = expected.iter().zip(given).fold(0, |different, (a, b)| different | (a ^ b));
    expected.len() == given.len() && std::hint::black_box(different) == 0
}

/// Whether the browser would come to where we listen, or a CLI in its container: not just to any loopback address.
fn parse_expected(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Does what the browser would have done: requests `target` from the CLI inside; the status of its answer.
pub async fn replay(container: &Container, port: u16, target: &str) -> Result<u16, EngineError> {
    let exchange = async {
        let relay = container.relay(port).await.map_err(io::Error::other)?;
        let (mut output, mut input) = (BufReader::new(relay.output), relay.input);
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        input.write_all(request.as_bytes()).await?;
        input.flush().await?;
        let mut status = String::new();
        output.read_line(&mut status).await?;
        let mut rest = tokio::io::sink();
        let _ = tokio::io::copy(&mut output, &mut rest).await;
        status
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other("no HTTP answer"))
    };
    match tokio::time::timeout(ANSWER, exchange).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(source)) => Err(EngineError::Io { what: format!("port {port} in the container"), source }),
        Err(_) => Err(EngineError::Io {
            what: format!("port {port} in the container"),
            source: io::Error::new(io::ErrorKind::TimedOut, "no answer"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is at the same number elsewhere is in nobody's way.
    #[test]
    fn who_listens_at_that_port_of_the_loopback_is_named_and_nobody_else() {
        let held = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = held.local_addr().expect("an address").port();
        let us = holder(port).expect("somebody");
        assert!(us.contains(&format!("(process {})", std::process::id())), "{us}");
        drop(held);
        let _datagrams = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
        let _elsewhere = std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).expect("free");
        assert_eq!(holder(port), None);
    }

    const LOGIN: &str = "https://a.example/oauth/authorize?client_id=x&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&state=s1";

    #[test]
    fn only_this_logins_redirect_is_replayed() {
        let expected = ExpectedCallback::of(LOGIN).expect("comes back to the loopback");
        assert_eq!(expected.port(), 1455);
        for good in [
            "http://localhost:1455/auth/callback?code=c&state=s1",
            " http://127.0.0.1:1455/auth/callback?state=s1&code=c\n",
            "?code=c&state=s1",
        ] {
            assert!(expected.check(good).is_ok_and(|target| target.starts_with("/auth/callback?")), "{good}");
        }
        for bad in [
            "http://localhost:1455/auth/callback?code=c&state=other",
            "http://localhost:1455/auth/callback?code=c",
            "http://localhost:1456/auth/callback?code=c&state=s1",
            "http://evil.example:1455/auth/callback?code=c&state=s1",
            "http://localhost:1455/shutdown?code=c&state=s1",
            "http://localhost:1455/auth/callback?state=s1",
            "",
            "nonsense",
        ] {
            assert!(expected.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_cannot_be_smuggled_into_the_replay() {
        let expected = ExpectedCallback::of(LOGIN).expect("comes back to the loopback");
        let target =
            expected.check("http://localhost:1455/auth/callback?code=c d\r\nX: y&state=s1").expect("ok");
        assert!(!target.contains(['\r', '\n', ' ']), "{target}");
    }

    #[test]
    fn other_logins_have_no_way_back_here() {
        assert_eq!(ExpectedCallback::of("https://a.example/device"), None);
        assert_eq!(
            ExpectedCallback::of("https://a.example/?redirect_uri=https%3A%2F%2Fb.example%2Fcb"),
            None
        );
    }
}
