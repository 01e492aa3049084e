//! The output of a container, and the input that is typed into it.

use std::{future::ready, io, pin::Pin};

use bollard::{container::LogOutput, query_parameters::AttachContainerOptionsBuilder};
use futures_util::{Stream, StreamExt as _};
use hyper::{Request, body::Bytes, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite;
use tokio_util::io::ReaderStream;

use super::{Container, Engine, EngineError, error::api};

/// A piece of a container's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// From standard output or the terminal.
    Out(Vec<u8>),
    /// From standard error.
    Err(Vec<u8>),
}

impl Output {
    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Out(bytes) | Self::Err(bytes) => bytes,
        }
    }
}

/// The streams of an attached container.
pub struct Attached {
    /// The output; ends when the container ends, or with the first error.
    pub output: Pin<Box<dyn Stream<Item = Output> + Send>>,
    /// The input.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Container {
    /// Attaches to the container. Call this before [`Container::start`], so that no output is missed.
    ///
    /// # Errors
    /// [`EngineError::Api`], [`EngineError::Io`]
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
        let attached = attached.map_err(api("attach to the login's container"))?;
        let output = attached.output.scan((), |(), piece| ready(piece.ok().map(Output::from)));
        Ok(Attached { output: Box::pin(output), input: attached.input })
    }

    /// Attaches to a terminal, whose output has no frames. The API client looks for frames there all the same, and a
    /// hostile program could make it wait for gigabytes; so the bytes are read from the connection here.
    async fn attach_terminal(&self) -> Result<Attached, EngineError> {
        let upgraded = upgrade(&self.engine, &self.id).await;
        let stream = upgraded
            .map_err(|source| EngineError::Io { action: "attach to the login's container".into(), source })?;
        let (read, write) = tokio::io::split(TokioIo::new(stream));
        let output = ReaderStream::with_capacity(read, 16 * 1024);
        let output = output.scan((), |(), piece| ready(piece.ok().map(|piece| Output::Out(piece.to_vec()))));
        Ok(Attached { output: Box::pin(output), input: Box::pin(write) })
    }
}

/// Asks the engine to attach and takes over the connection (Docker Engine API, "attach": hijacking).
async fn upgrade(engine: &Engine, id: &str) -> io::Result<Upgraded> {
    let version = engine.api.client_version();
    let request = Request::post(format!(
        "/v{}.{}/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1",
        version.major_version, version.minor_version
    ))
    .header("Connection", "Upgrade")
    .header("Upgrade", "tcp")
    .body(bollard::body_full(Bytes::new()))
    .map_err(io::Error::other)?;
    let response = engine.connection.send(request).await?;
    if response.status() != hyper::StatusCode::SWITCHING_PROTOCOLS {
        return Err(io::Error::other(format!("the engine answered with status {}", response.status())));
    }
    hyper::upgrade::on(response).await.map_err(io::Error::other)
}

impl From<LogOutput> for Output {
    fn from(output: LogOutput) -> Self {
        match output {
            LogOutput::StdErr { message } => Self::Err(message.to_vec()),
            other => Self::Out(other.into_bytes().to_vec()),
        }
    }
}
