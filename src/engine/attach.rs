//! What a container prints, and what is typed into it.

use std::pin::Pin;

use bollard::{container::LogOutput, query_parameters::AttachContainerOptionsBuilder};
use futures_util::{Stream, StreamExt as _};
use tokio::io::AsyncWrite;

use super::{Container, EngineError, api};

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
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdin(self.terminal)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self.engine.api.attach_container(&self.id, Some(options)).await;
        let attached = attached.map_err(api("attaching to the login's container"))?;
        let output = attached.output.take_while(|piece| std::future::ready(piece.is_ok()));
        let output = output.filter_map(|piece| std::future::ready(piece.ok().map(Output::from)));
        Ok(Attached { output: Box::pin(output), input: attached.input })
    }
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
