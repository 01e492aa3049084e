//! Errors of container engines.

use bollard::errors::Error as ApiError;

use crate::config::engine_selector::EngineSelectorError;

/// An address that was tried while looking for an engine, with the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The URL.
    pub url: String,
    /// Why this URL was tried.
    pub reason: String,
    /// The result of the attempt.
    pub outcome: String,
}

/// The advice for the case that no engine answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineHint {
    /// The selected URL is the only place that is tried: start the engine there, or select another one.
    SelectAnother,
    /// Nothing is installed: install Docker or Podman, or select an engine elsewhere.
    InstallOrSelect,
    /// A command of the system, or a variable to change.
    Text(String),
}

/// The reason why an engine could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No engine answered.
    #[error("no container engine answered; looked at:{}", list(.probes))]
    NotFound {
        /// Every address that was tried.
        probes: Vec<Probe>,
        /// The advice.
        hint: EngineHint,
    },
    /// The selected engine is not one.
    #[error(transparent)]
    Selector(#[from] EngineSelectorError),
    /// The engine has no such image, and there is no Containerfile to build it from.
    #[error("the engine at {url} has no image {image}")]
    NoImage {
        /// The image.
        image: String,
        /// The engine's URL.
        url: String,
    },
    /// The image has no Containerfile.
    #[error("no Containerfile for image {name:?}: neither bundled nor in {directory}")]
    NoContainerfile {
        /// The image's directory name.
        name: String,
        /// The user's own image directory.
        directory: String,
    },
    /// The build of an image failed.
    #[error("cannot build image {image}: {message}")]
    Build {
        /// The image's tag.
        image: String,
        /// The engine's message.
        message: String,
        /// The last lines of the build's output.
        tail: String,
    },
    /// A file that the caller or the configuration names cannot be read.
    #[error("cannot read {}: {source}", crate::redact::redact_path(path.as_ref()))]
    File {
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// Input or output outside the engine's API failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// The failed action, as a verb phrase: `pack the build context`.
        action: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A request to the engine's API failed.
    #[error("cannot {action}: {source}")]
    Api {
        /// The requested action, as a verb phrase: `start the login's container`.
        action: &'static str,
        /// The engine's refusal, or the broken connection.
        source: ApiFailure,
    },
}

/// The result of a failed request to the engine's API.
#[derive(Debug, thiserror::Error)]
pub enum ApiFailure {
    /// The engine answered with an error status: it did not do what was asked.
    #[error("the engine answered with status {status}: {message}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// The engine's message.
        message: String,
    },
    /// No usable answer arrived: the engine may have done what was asked.
    #[error(transparent)]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl From<ApiError> for ApiFailure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::DockerResponseServerError { status_code, message } => {
                Self::Answered { status: status_code, message }
            }
            other => Self::Broken(Box::new(other)),
        }
    }
}

impl EngineError {
    /// Makes the error for an engine that did not answer in time.
    pub(crate) fn timed_out(action: &'static str) -> Self {
        api(action)(ApiError::RequestTimeoutError)
    }

    /// Returns whether the engine itself refused. After any other error it may have done what was asked.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Api { source: ApiFailure::Answered { .. }, .. })
    }
}

/// Returns a function that adds what was requested to an error of the API client.
pub(super) fn api(action: &'static str) -> impl FnOnce(ApiError) -> EngineError {
    move |error| EngineError::Api { action, source: error.into() }
}

/// Returns whether the engine answered with one of these statuses.
pub(super) fn has_status(error: &ApiError, statuses: &[u16]) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code, .. } if statuses.contains(status_code))
}

fn list(probes: &[Probe]) -> String {
    probes.iter().map(|probe| format!("\n  {} ({}): {}", probe.url, probe.reason, probe.outcome)).collect()
}
