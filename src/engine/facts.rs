//! Facts about an engine that change how containers are created in it.

use std::{fmt, io};

use hyper::HeaderMap;
use serde::Deserialize;

use super::{raw, selinux};

/// The product, version and abilities of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Docker or Podman.
    pub product: Product,
    /// The version that the engine reports.
    pub version: String,
    /// Whether the engine runs as an ordinary user.
    pub rootless: bool,
    /// Whether the engine maps the users of containers to other users unless a container opts out (Docker's
    /// `userns-remap`).
    pub remaps: bool,
    /// Whether the engine labels containers for `SELinux`.
    pub selinux: bool,
    /// Whether the engine enforces limits of memory and processes.
    pub limits: bool,
}

/// The product that an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Docker, or an engine that does not identify itself as another product.
    Docker,
    /// Podman.
    Podman,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        })
    }
}

/// The fields of `/info` that are used.
#[derive(Deserialize)]
struct Info {
    #[serde(rename = "ServerVersion")]
    server_version: Option<String>,
    #[serde(rename = "SecurityOptions")]
    security_options: Option<Vec<String>>,
    /// Podman's own field: unlike Docker, Podman 4 does not list `rootless` among the security options.
    #[serde(rename = "Rootless")]
    rootless: Option<bool>,
    #[serde(rename = "MemoryLimit")]
    memory_limit: Option<bool>,
    #[serde(rename = "PidsLimit")]
    pids_limit: Option<bool>,
    #[serde(rename = "CgroupVersion")]
    cgroup_version: Option<String>,
}

/// Asks the engine at `url` what it is; also returns the API version that it announces.
///
/// # Errors
/// Any failure to get an engine's answer from `url`.
pub(super) async fn read(url: &str) -> io::Result<(Facts, Option<String>)> {
    let (head, info) = tokio::join!(raw::ping(url), raw::get::<Info>(url, "/info"));
    let head = head?;
    let Some(api) = head.get("api-version") else {
        return Err(io::Error::other("its answer has no header Api-Version"));
    };
    let api = api.to_str().ok().map(str::to_owned);
    Ok((facts(url, &head, info?).await, api))
}

async fn facts(url: &str, head: &HeaderMap, info: Info) -> Facts {
    let options = info.security_options.unwrap_or_default();
    let has = |name: &str| options.iter().any(|option| option.split(',').any(|part| part == name));
    let rootless = info.rootless.unwrap_or(false) || has("name=rootless");
    // On cgroups v1, rootless Podman reports limits that it does not enforce.
    let unenforced = rootless && info.cgroup_version.is_some_and(|version| version == "1");
    let product = if head.contains_key("libpod-api-version") { Product::Podman } else { Product::Docker };
    let version = info.server_version.unwrap_or_default();
    let selinux = has("name=selinux")
        || (product == Product::Podman && selinux::podman_labels_containers(url, &version).await);
    Facts {
        product,
        version,
        rootless,
        remaps: has("name=userns"),
        selinux,
        limits: !unenforced && info.memory_limit.unwrap_or(true) && info.pids_limit.unwrap_or(true),
    }
}
