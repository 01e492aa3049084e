//! Container engines (Docker or Podman, rootful or rootless) over their API.
//!
//! [`locate::connect`] finds an engine. An [`Engine`] has facts, images and containers; a [`Container`] runs one vendor
//! CLI and is removed afterwards. The API client `bollard` is used in this module only.

mod address;
mod archive;
pub mod attach;
mod command;
mod connection;
pub mod container;
pub mod containerfile;
mod contexts;
mod create;
mod environment;
mod error;
mod facts;
mod files;
mod hints;
pub mod image;
pub mod locate;
pub mod passthrough;
pub mod relay;
mod spec;
mod tls;

use std::{fmt, sync::Arc};

use bollard::Docker;

use connection::Connection;

pub use crate::config::engine_selector::EngineSelector;
pub use container::Container;
pub use create::exit_code;
pub use error::{ApiFailure, EngineError, EngineHint, Probe};
pub use facts::{Facts, Product};
pub use passthrough::Passthrough;
pub use spec::ContainerSpec;

/// The label on everything that this program creates in an engine.
pub const LABEL: &str = "io.github.authenticate";
/// The label on an image that this program built; its value is the provider's name.
pub const IMAGE_LABEL: &str = "io.github.authenticate.image";
/// The label on a login's container; its value is the login's identity.
pub const LOGIN_LABEL: &str = "io.github.authenticate.login";

/// A connected engine.
#[derive(Clone)]
pub struct Engine {
    api: Docker,
    connection: Arc<Connection>,
    url: String,
    facts: Facts,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("url", &self.url).field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Engine {
    /// Returns the URL at which the engine answered.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the engine's product, version and abilities.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}
