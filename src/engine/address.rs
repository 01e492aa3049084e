//! The address of an engine, and the ways to get there: a socket, TCP on the loopback, TLS, SSH.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    process::Stdio,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::tls;
use crate::{
    config::engine_selector::{NO_USER_IN_URL, has_secret},
    redact,
};

/// The most of a failed SSH's last words that an error repeats.
const MAX_SAID: u64 = 4096;

/// A stream to an engine.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The parsed URL of an engine.
#[derive(Clone)]
pub(super) enum Address {
    /// `unix:///path`
    Socket(PathBuf),
    /// `tcp://HOST:PORT` on the loopback.
    Tcp(String),
    /// `tcp://HOST:PORT#DIRECTORY`, with the certificates in the directory.
    Tls { host: String, name: ServerName<'static>, config: Arc<rustls::ClientConfig> },
    /// `ssh://USER@HOST:PORT/SOCKET#IDENTITY`: the arguments of `ssh`.
    Ssh(Vec<String>),
}

impl Address {
    /// Parses the URL of an engine.
    ///
    /// # Errors
    /// The reason, in words, why it is not used.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Ok(Self::Socket(path.into()));
        }
        let (text, file) = match text.split_once('#') {
            Some((text, file)) => (text, Some(Path::new(file))),
            None => (text, None),
        };
        let url = Url::parse(text).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
        let url = url.ok_or("not a URL of the form unix:///path, tcp://host:port or ssh://user@host")?;
        if has_secret(text) {
            return Err(NO_USER_IN_URL.to_owned());
        }
        match url.scheme() {
            "ssh" => Ok(Self::Ssh(ssh_args(&url, file)?)),
            "https" => Self::tcp(&url, Some(file.unwrap_or(Path::new("")))),
            "tcp" | "http" => Self::tcp(&url, file),
            scheme => Err(format!("engines are not reached by {scheme}://")),
        }
    }

    fn tcp(url: &Url, certificates: Option<&Path>) -> Result<Self, String> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let default = if certificates.is_some() { 2376 } else { 2375 };
        let port = url.port_or_known_default().unwrap_or(default);
        let address = format!("{host}:{port}");
        match certificates {
            Some(directory) => {
                let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
                Ok(Self::Tls { host: address, name, config: Arc::new(tls::client_config(directory)?) })
            }
            None if is_loopback(bare) => Ok(Self::Tcp(address)),
            None => Err(
                "plain TCP to another machine shows the login to the network, and makes whoever is in it \
                         root there: use TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH) or ssh://"
                    .to_owned(),
            ),
        }
    }

    /// Whether it is a socket.
    pub(super) fn is_socket(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Opens a stream.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Io>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(host) => Box::new(TcpStream::connect(host).await?),
            Self::Tls { host, name, config } => {
                let stream = TcpStream::connect(host).await?;
                Box::new(TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await?)
            }
            Self::Ssh(args) => Box::new(Ssh::start(args)?),
        })
    }
}

fn is_loopback(host: &str) -> bool {
    match Host::parse(host).or_else(|_| Host::parse(&format!("[{host}]"))) {
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Ok(Host::Domain(name)) => name == "localhost",
        Err(_) => false,
    }
}

/// Returns the arguments of the `ssh` that joins its streams to the engine's socket there, as the Docker CLI's does.
fn ssh_args(url: &Url, identity: Option<&Path>) -> Result<Vec<String>, String> {
    let not_text = |_| "a NUL character in the path of a socket".to_owned();
    let remote = match url.path().trim_end_matches('/') {
        "" => "docker system dial-stdio".to_owned(),
        path => {
            let socket = shlex::try_quote(path).map_err(not_text)?;
            match path.rsplit('/').next().is_some_and(|name| name.starts_with("podman")) {
                true => format!("podman --url unix://{socket} system dial-stdio"),
                false => format!("docker --host unix://{socket} system dial-stdio"),
            }
        }
    };
    // It must not ask: a login's terminal belongs to the vendor's CLI, and a refresh has none.
    let mut args: Vec<String> =
        ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"].map(Into::into).into();
    let user = (!url.username().is_empty()).then(|| ("-l", url.username().to_owned()));
    let port = url.port().map(|port| ("-p", port.to_string()));
    let identity = identity.map(|file| ("-i", file.display().to_string()));
    let options = [user, port, identity].into_iter().flatten();
    args.extend(options.flat_map(|(option, value)| [option.to_owned(), value]));
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    args.extend(["--".to_owned(), host.to_owned(), remote]);
    Ok(args)
}

/// A running `ssh`, killed when dropped.
struct Ssh {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    has_answered: bool,
    /// Reads the reason for an end without an answer.
    failure: Option<Pin<Box<dyn Future<Output = io::Error> + Send>>>,
}

impl Ssh {
    fn start(args: &[String]) -> io::Result<Self> {
        let mut command = Command::new("ssh");
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Not in our process group, so that Ctrl-C does not end it.
        let spawned = command.kill_on_drop(true).process_group(0).spawn();
        let mut child = spawned.map_err(|error| io::Error::other(format!("cannot run ssh: {error}")))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Self { child, input, output, has_answered: false, failure: None })
            }
            _ => Err(io::Error::other("ssh has no streams")),
        }
    }

    /// Returns why `ssh` ended, in its own words.
    fn why(&mut self) -> Pin<Box<dyn Future<Output = io::Error> + Send>> {
        let errors = self.child.stderr.take();
        Box::pin(async move {
            let mut said = Vec::new();
            if let Some(errors) = errors {
                let _ = errors.take(MAX_SAID).read_to_end(&mut said).await;
            }
            let last = said.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            io::Error::other(format!("ssh: {}", redact::escape(last.trim_ascii())))
        })
    }
}

impl AsyncRead for Ssh {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.failure.is_none() {
            let before = buf.filled().len();
            std::task::ready!(Pin::new(&mut this.output).poll_read(cx, buf))?;
            this.has_answered |= buf.filled().len() > before;
            if this.has_answered {
                return Poll::Ready(Ok(()));
            }
        }
        let mut failure = this.failure.take().unwrap_or_else(|| this.why());
        match failure.as_mut().poll(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.failure = Some(failure);
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Ssh {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.input).poll_write(cx, buf) {
            // The reader knows why.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Poll::Ready(Ok(buf.len()))
            }
            written => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
