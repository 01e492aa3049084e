//! What a container prints, and what is typed into it.

use std::{io, pin::Pin};

use bollard::{
    container::LogOutput, errors::Error as ApiError, query_parameters::AttachContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt as _};
use http_body_util::Empty;
use hyper::{Request, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite;
use tokio_util::io::ReaderStream;

use super::{Container, Engine, EngineError, api, raw};

/// A piece of a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output, or the terminal.
    Out(Vec<u8>),
    /// Standard error.
    Err(Vec<u8>),
}

impl Output {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Out(bytes) | Self::Err(bytes) => bytes,
        }
    }
}

/// Both directions of an attached container.
pub struct Attached {
    /// What it prints; ends when it ends.
    pub output: Pin<Box<dyn Stream<Item = Output> + Send>>,
    /// What is typed.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Container {
    /// Attaches. To be called before the container is started, so that nothing it prints is missed.
    pub async fn attach(&self) -> Result<Attached, EngineError> {
        if self.terminal {
            return self.attach_terminal().await;
        }
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdin(false)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self.engine.api.attach_container(&self.id, Some(options)).await;
        let attached = attached.map_err(api("attaching to the login's container"))?;
        let output = attached.output.take_while(|piece| std::future::ready(piece.is_ok()));
        let output = output.filter_map(|piece| std::future::ready(piece.ok().map(Output::from)));
        Ok(Attached { output: Box::pin(output), input: attached.input })
    }

    /// A terminal's output comes as it is, without frames. The API client would look for frames in it all the same,
    /// and a hostile program could make it wait for gigabytes; so the bytes are taken from the connection here.
    async fn attach_terminal(&self) -> Result<Attached, EngineError> {
        let doing = "attaching to the login's container";
        let failed = |error: io::Error| api(doing)(ApiError::IOError { err: error });
        let stream = upgrade(&self.engine, &self.id).await.map_err(failed)?;
        let (read, write) = tokio::io::split(TokioIo::new(stream));
        let output = ReaderStream::with_capacity(read, 16 * 1024);
        let output = output.take_while(|piece| std::future::ready(piece.is_ok()));
        let output =
            output.filter_map(|piece| std::future::ready(piece.ok().map(|p| Output::Out(p.to_vec()))));
        Ok(Attached { output: Box::pin(output), input: Box::pin(write) })
    }
}

/// Asks the engine to attach, and takes over the connection (Docker Engine API, "attach": hijacking).
async fn upgrade(engine: &Engine, id: &str) -> io::Result<Upgraded> {
    let version = engine.api().client_version();
    let request = Request::post(format!(
        "/v{}.{}/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1",
        version.major_version, version.minor_version
    ))
    .header("Host", "localhost")
    .header("Connection", "Upgrade")
    .header("Upgrade", "tcp")
    .body(Empty::new())
    .map_err(io::Error::other)?;
    let response = raw::send(engine.url(), request).await?;
    if response.status() != hyper::StatusCode::SWITCHING_PROTOCOLS {
        return Err(io::Error::other(format!("HTTP status {}", response.status())));
    }
    hyper::upgrade::on(response).await.map_err(io::Error::other)
}

impl From<LogOutput> for Output {
    fn from(output: LogOutput) -> Self {
        match output {
            LogOutput::StdErr { message } => Self::Err(message.to_vec()),
            LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
                Self::Out(message.to_vec())
            }
        }
    }
}
