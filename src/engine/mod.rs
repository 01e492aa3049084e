//! The container engine: Docker or Podman, rootful or rootless, over its API.

pub mod attach;
pub mod container;
pub mod containerfile;
mod hints;
pub mod image;
mod labels;
pub mod locate;
pub mod passthrough;
mod raw;
pub mod relay;

use bollard::{ClientVersion, Docker, errors::Error as ApiError};

pub use container::{Container, ContainerSpec};
pub use locate::{EngineSelector, Probe};
pub use passthrough::Passthrough;

/// Label on everything that we make in an engine.
pub const LABEL: &str = "io.github.authenticate";
/// Label on an image that we built: the name of its directory.
pub const IMAGE_LABEL: &str = "io.github.authenticate.image";
/// Label on a login's container: the login's identity.
pub const LOGIN_LABEL: &str = "io.github.authenticate.login";

/// Seconds that one answer of an engine may take. Builds and waits stream, and are not bounded by it.
const ANSWER_SECONDS: u64 = 120;
/// The newest version of the API that we speak; an older engine is spoken to in its own.
const API: ClientVersion = ClientVersion { major_version: 1, minor_version: 44 };

const TAKES_NO_USER: &str = "takes no user and no password in its URL";

/// A connected engine.
#[derive(Clone, Debug)]
pub struct Engine {
    api: Docker,
    url: String,
    facts: Facts,
}

/// What matters to us of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Docker or Podman.
    pub product: Product,
    /// Its version, as it says it.
    pub version: String,
    /// It runs as an ordinary user.
    pub rootless: bool,
    /// It maps the users of its containers to others, but for a container that asks it not to: Docker's `userns-remap`.
    pub remaps: bool,
    /// It labels containers for SELinux.
    pub selinux: bool,
    /// It holds containers to their limits of memory and processes.
    pub limits: bool,
}

/// The two products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Docker, or something that says nothing else of itself.
    Docker,
    /// Podman.
    Podman,
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        })
    }
}

/// Why an engine could not be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No engine answered.
    #[error("no container engine answered; looked at:{}", locate::list(.probes))]
    NotFound {
        /// Every place looked at, and what was there.
        probes: Vec<Probe>,
        /// What to do about it.
        hint: String,
    },
    /// The value of `--engine`, `DOCKER_HOST` or the like is not understood.
    #[error("{0} is not an engine: use docker, podman, or a URL (unix:///path, tcp://127.0.0.1:PORT)")]
    BadUrl(
        /// What was given, as far as it may be shown.
        String,
    ),
    /// The URL has a user or a password in it.
    #[error("{0}: an engine {TAKES_NO_USER}")]
    UserInUrl(
        /// The URL without them.
        String,
    ),
    /// There is no such image, and it is not ours to build.
    #[error("image {image} is not in {url}")]
    NoImage {
        /// The image.
        image: String,
        /// The engine.
        url: String,
    },
    /// An image has no Containerfile.
    #[error("no Containerfile for image {name:?}: neither bundled nor in {directory}")]
    NoContainerfile {
        /// Name of the image's directory.
        name: String,
        /// The user's own images.
        directory: String,
    },
    /// The build of an image failed.
    #[error("image {image} could not be built: {message}")]
    Build {
        /// The image.
        image: String,
        /// The engine's words.
        message: String,
        /// The end of the build's output.
        tail: String,
    },
    /// A file that was named, or is in the configuration, cannot be read.
    #[error("cannot read {}: {source}", crate::redact::redact_path(path.as_ref()))]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something for a container cannot be made or read.
    #[error("cannot read {what}: {source}")]
    Io {
        /// What: `the build context`, ..
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// A path cannot be given to the engine.
    #[error("{0:?} cannot be mounted: its name contains `:` or is not text")]
    Unmountable(std::path::PathBuf),
    /// The engine refused a request or broke off.
    #[error("{doing}: {source}")]
    Api {
        /// What was being done.
        doing: &'static str,
        /// What became of it.
        source: ApiFailure,
    },
}

/// What became of a request that was not done.
#[derive(Debug, thiserror::Error)]
pub enum ApiFailure {
    /// The engine has answered that it does not do it.
    #[error("the engine answered with status {status}: {message}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// There is no such answer.
    #[error(transparent)]
    Broken(Box<ApiError>),
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
    /// What an engine says that was not waited for any longer.
    pub(crate) fn silent(doing: &'static str) -> Self {
        api(doing)(ApiError::RequestTimeoutError)
    }

    /// Whether the engine itself has answered that it does not do it. After anything else it may have done so.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Api { source: ApiFailure::Answered { .. }, .. })
    }
}

/// Says what was being done when a request failed.
pub(crate) fn api(doing: &'static str) -> impl FnOnce(ApiError) -> EngineError {
    move |error| EngineError::Api { doing, source: error.into() }
}

impl Engine {
    /// Its API.
    pub fn api(&self) -> &Docker {
        &self.api
    }

    /// The URL that it was reached at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// True when the engine says that there is no such thing.
pub(crate) fn is_not_found(error: &ApiError) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code: 404, .. })
}
