//! The description of a container to create.

use std::path::PathBuf;

use crate::{provider::run_args::Publish, ui::Size};

/// A container to create with [`Engine::create`](super::Engine::create).
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// The container's name; unique in the engine.
    pub name: String,
    /// The login's identity, for the label.
    pub login: String,
    /// The image.
    pub image: String,
    /// The command.
    pub command: Vec<String>,
    /// Whether the container waits a moment at its end for open [relays](super::Container::relay).
    pub linger: bool,
    /// The environment, in addition to the image's.
    pub env: Vec<(String, String)>,
    /// The only directory of the host that the container sees, if the engine sees it.
    pub host_dir: PathBuf,
    /// The path of that directory in the container.
    pub mount: String,
    /// Whether a volume of the container takes the place of that directory.
    pub has_volume: bool,
    /// The name of a file in that directory which the container empties, before the command starts once it is removed.
    pub marker: Option<String>,
    /// More directories in memory: path and options.
    pub tmpfs: Vec<(String, String)>,
    /// Ports published on 127.0.0.1.
    pub publish: Vec<Publish>,
    /// The network; `None` is the engine's default.
    pub network: Option<String>,
    /// More host names: `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    /// Certificates to trust (PEM).
    pub ca_bundle: Option<Vec<u8>>,
    /// The size of the container's terminal, if it gets a terminal.
    pub terminal: Option<Size>,
}
