//! Facts about an engine that change how containers are created in it.

use std::{fmt, io};

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::connection::Connection;

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

/// The first major version of Podman that lists `SELinux` among the security options of `/info`.
const SELINUX_LISTED_SINCE: u32 = 5;

/// The fields of `/info` that are used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    server_version: Option<String>,
    security_options: Option<Vec<String>>,
    /// Podman's own field: unlike Docker, Podman 4 does not list `rootless` among the security options.
    rootless: Option<bool>,
    memory_limit: Option<bool>,
    pids_limit: Option<bool>,
    cgroup_version: Option<String>,
}

/// Asks an engine what it is; also returns the API version that it announces.
///
/// # Errors
/// Any failure to get an engine's answer.
pub(super) async fn read(engine: &Connection) -> io::Result<(Facts, Option<String>)> {
    // The cheapest request first: an engine identifies itself in the headers of every answer.
    let head = engine.ask("/_ping").await?.into_parts().0.headers;
    let info = engine.get::<Info>("/info").await?;
    let Some(api) = head.get("api-version") else {
        return Err(io::Error::other("its answer has no header Api-Version"));
    };
    let api = api.to_str().ok().map(str::to_owned);
    Ok((facts(engine, &head, info).await, api))
}

async fn facts(engine: &Connection, head: &HeaderMap, info: Info) -> Facts {
    let options = info.security_options.unwrap_or_default();
    let has = |name: &str| options.iter().any(|option| option.split(',').any(|part| part == name));
    let rootless = info.rootless.unwrap_or(false) || has("name=rootless");
    // On cgroups v1, rootless Podman reports limits that it does not enforce.
    let unenforced = rootless && info.cgroup_version.is_some_and(|version| version == "1");
    let product = if head.contains_key("libpod-api-version") { Product::Podman } else { Product::Docker };
    let version = info.server_version.unwrap_or_default();
    let selinux = has("name=selinux")
        || (product == Product::Podman && podman_labels_containers(engine, &version).await);
    Facts {
        product,
        version,
        rootless,
        remaps: has("name=userns"),
        selinux,
        limits: !unenforced && info.memory_limit.unwrap_or(true) && info.pids_limit.unwrap_or(true),
    }
}

/// Asks a Podman of this `version` whether it labels containers, through Podman's own API, whose paths contain the
/// version. `false` for newer versions and without an answer. Seen with Podman 4.3.1; 5.4.2 lists it in `/info`.
async fn podman_labels_containers(engine: &Connection, version: &str) -> bool {
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    let Some(major) = major.filter(|major| *major < SELINUX_LISTED_SINCE) else { return false };
    let info = engine.get::<Value>(&format!("/v{major}.0.0/libpod/info")).await;
    info.is_ok_and(|info| info.pointer("/host/security/selinuxEnabled") == Some(&Value::Bool(true)))
}
