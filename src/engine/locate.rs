//! Finding an engine and connecting to it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use bollard::{ClientVersion, Docker};
use serde::Deserialize;

use super::{ANSWER_SECONDS, API, Engine, EngineError, Facts, Product, TAKES_NO_USER, hints, labels, raw};
use crate::redact;

/// How long an engine may take to say what it is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What is said of a socket that the user has no right to.
const NO_PERMISSION: &str = "you may not use it";

/// Which engine is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EngineSelector {
    /// The first that answers.
    #[default]
    Any,
    /// Docker, at `DOCKER_HOST` or one of its usual sockets.
    Docker,
    /// Podman, at `CONTAINER_HOST` or one of its usual sockets.
    Podman,
    /// The one at this URL.
    Url(String),
}

impl FromStr for EngineSelector {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        match text {
            url if redact::has_userinfo(url) => Err(EngineError::UserInUrl(redact::redact_url(url))),
            "docker" => Ok(Self::Docker),
            "podman" => Ok(Self::Podman),
            url if ["unix://", "tcp://", "http://"].iter().any(|s| url.starts_with(s) && url != *s) => {
                Ok(Self::Url(url.to_owned()))
            }
            path if path.starts_with('/') => Ok(Self::Url(unix(Path::new(path)))),
            other => Err(EngineError::BadUrl(redact::quote(other))),
        }
    }
}

/// A place that was looked at and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// URL of the place.
    pub url: String,
    /// Why it was looked at.
    pub reason: &'static str,
    /// What was there.
    pub outcome: String,
}

pub(super) fn list(tried: &[Probe]) -> String {
    tried.iter().map(|t| format!("\n  {} ({}): {}", t.url, t.reason, t.outcome)).collect()
}

/// The variables and directories that say where engines are.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) docker_host: Option<OsString>,
    pub(super) container_host: Option<OsString>,
    pub(super) runtime_dir: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
    pub(super) root: bool,
}

impl Environment {
    fn from_env() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let uid = rustix::process::geteuid();
        let user_dir = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
        Self {
            docker_host: set("DOCKER_HOST"),
            container_host: set("CONTAINER_HOST"),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from).or(user_dir.is_dir().then_some(user_dir)),
            home: set("HOME").map(PathBuf::from),
            root: uid.is_root(),
        }
    }

    fn places(&self, choice: &EngineSelector) -> Vec<(String, &'static str)> {
        let explicit = |value: &Option<OsString>, name| {
            let url = |value: &OsString| match value.to_string_lossy() {
                path if path.starts_with('/') => unix(Path::new(path.as_ref())),
                url => url.into_owned(),
            };
            value.as_ref().map(|value| vec![(url(value), name)])
        };
        let docker_host = explicit(&self.docker_host, "DOCKER_HOST");
        let container_host = explicit(&self.container_host, "CONTAINER_HOST");
        match choice {
            EngineSelector::Url(url) => vec![(url.clone(), "asked for")],
            EngineSelector::Docker => docker_host.unwrap_or_else(|| self.docker()),
            EngineSelector::Podman => container_host.unwrap_or_else(|| self.podman()),
            EngineSelector::Any => docker_host
                .or(container_host)
                .unwrap_or_else(|| self.docker().into_iter().chain(self.podman()).collect()),
        }
    }

    fn docker(&self) -> Vec<(String, &'static str)> {
        let mut places = vec![(unix(Path::new("/var/run/docker.sock")), "Docker's socket")];
        if let Some(dir) = &self.runtime_dir {
            places.push((unix(&dir.join("docker.sock")), "rootless Docker's socket"));
        }
        if let Some(home) = &self.home {
            places.push((unix(&home.join(".docker/run/docker.sock")), "Docker Desktop's socket"));
        }
        places
    }

    fn podman(&self) -> Vec<(String, &'static str)> {
        let mut places = Vec::new();
        if let Some(dir) = self.runtime_dir.as_ref().filter(|_| !self.root) {
            places.push((unix(&dir.join("podman/podman.sock")), "your Podman socket"));
        }
        places.push((unix(Path::new("/run/podman/podman.sock")), "the system's Podman socket"));
        places
    }
}

fn unix(path: &Path) -> String {
    format!("unix://{}", path.display())
}

/// Connects to the engine wanted, or to the first that answers.
///
/// # Errors
/// [`EngineError::NotFound`] with every place looked at.
pub async fn connect(choice: &EngineSelector) -> Result<Engine, EngineError> {
    let surroundings = Environment::from_env();
    let mut tried = Vec::new();
    for (url, because) in surroundings.places(choice) {
        match at(&url, CONNECT_TIMEOUT).await {
            Ok(engine) => return Ok(engine),
            Err(outcome) => {
                let is_url = url.contains("://") || url.starts_with('/');
                let url = if is_url { redact::redact_url(&url) } else { redact::quote(&url) };
                tried.push(Probe { url, reason: because, outcome });
            }
        }
    }
    let may_not = tried.iter().any(|place| place.outcome == NO_PERMISSION);
    Err(EngineError::NotFound { hint: hints::not_found_hint(&surroundings, choice, may_not), probes: tried })
}

/// Connects to the engine at `url`, if it answers in time; the error says what is there instead.
pub async fn at(url: &str, patience: Duration) -> Result<Engine, String> {
    let limit = || format!("did not answer within {} s", patience.as_secs());
    tokio::time::timeout(patience, answer(url)).await.unwrap_or_else(|_| Err(limit()))
}

async fn answer(url: &str) -> Result<Engine, String> {
    if redact::has_userinfo(url) {
        return Err(format!("an engine {TAKES_NO_USER}"));
    }
    if let Some(path) = url.strip_prefix("unix://") {
        // Asked of the system first, because it says more than any client: absent, refused or not allowed.
        if let Err(error) = tokio::net::UnixStream::connect(path).await {
            return Err(match error.kind() {
                std::io::ErrorKind::NotFound => "no such socket".to_owned(),
                std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
                std::io::ErrorKind::PermissionDenied => NO_PERMISSION.to_owned(),
                _ => error.to_string(),
            });
        }
    } else if !url.starts_with("tcp://") && !url.starts_with("http://") {
        return Err("not a URL of the form unix:///path or tcp://host:port".to_owned());
    }
    let (head, info) = tokio::join!(raw::ping(url), raw::get::<Info>(url, "/info"));
    let head = head.map_err(|error| format!("does not answer as an engine: {error}"))?;
    let Some(api) = head.get("api-version") else {
        return Err("does not answer as an engine: it names no version of an engine's API".to_owned());
    };
    let info = info.map_err(|error| format!("does not answer as an engine: {error}"))?;
    let api = api_version(api.to_str().ok());
    let docker = match url.strip_prefix("unix://") {
        Some(_) => Docker::connect_with_unix(url, ANSWER_SECONDS, &api),
        None => Docker::connect_with_http(url, ANSWER_SECONDS, &api),
    };
    let docker = docker.map_err(|error| error.to_string())?;
    let options = info.security_options.unwrap_or_default();
    let has = |name: &str| options.iter().any(|o| o.split(',').any(|part| part == name));
    let rootless = info.rootless.unwrap_or(false) || has("name=rootless");
    // On cgroups v1 rootless Podman says that it limits, and does not.
    let without = rootless && info.cgroup_version.is_some_and(|version| version == "1");
    let product = if head.contains_key("libpod-api-version") { Product::Podman } else { Product::Docker };
    let version = info.server_version.unwrap_or_default();
    let selinux = has("name=selinux") || labels::selinux_labels(url, product, &version).await;
    let facts = Facts {
        product,
        version,
        rootless,
        remaps: has("name=userns"),
        selinux,
        limits: !without && info.memory_limit.unwrap_or(true) && info.pids_limit.unwrap_or(true),
    };
    Ok(Engine { api: docker, url: url.to_owned(), facts })
}

/// The newest version of the API that both sides speak.
fn api_version(theirs: Option<&str>) -> ClientVersion {
    let parts = theirs.and_then(|text| text.split_once('.'));
    let parsed = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some(theirs) if theirs < (API.major_version, API.minor_version) => {
            ClientVersion { major_version: theirs.0, minor_version: theirs.1 }
        }
        _ => API,
    }
}

/// What we read of `/info`.
#[derive(Deserialize)]
struct Info {
    #[serde(rename = "ServerVersion")]
    server_version: Option<String>,
    #[serde(rename = "SecurityOptions")]
    security_options: Option<Vec<String>>,
    /// Podman's own field. Podman 4 does not say it among the security options, as Docker does.
    #[serde(rename = "Rootless")]
    rootless: Option<bool>,
    #[serde(rename = "MemoryLimit")]
    memory_limit: Option<bool>,
    #[serde(rename = "PidsLimit")]
    pids_limit: Option<bool>,
    #[serde(rename = "CgroupVersion")]
    cgroup_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Environment {
        Environment {
            docker_host: None,
            container_host: None,
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            root: false,
        }
    }

    fn urls(surroundings: &Environment, choice: EngineSelector) -> Vec<String> {
        surroundings.places(&choice).into_iter().map(|(url, _)| url).collect()
    }

    #[test]
    fn what_was_asked_for_is_the_only_place_looked_at() {
        let mut here = surroundings();
        assert_eq!(urls(&here, EngineSelector::Url("unix:///x".into())), ["unix:///x"]);
        here.container_host = Some("unix:///c".into());
        assert_eq!(urls(&here, EngineSelector::Any), ["unix:///c"]);
        here.docker_host = Some("/d".into());
        assert_eq!(urls(&here, EngineSelector::Any), ["unix:///d"]);
        assert_eq!(urls(&here, EngineSelector::Podman), ["unix:///c"]);
    }

    #[test]
    fn the_usual_sockets_are_looked_at_in_order() {
        let here = surroundings();
        let all = urls(&here, EngineSelector::Any);
        assert_eq!(all[0], "unix:///var/run/docker.sock");
        assert!(all.contains(&"unix:///run/user/7/podman/podman.sock".to_owned()));
        assert_eq!(
            urls(&here, EngineSelector::Podman).last().map(String::as_str),
            Some("unix:///run/podman/podman.sock")
        );
    }

    #[test]
    fn engines_are_named_or_given_by_url() {
        assert_eq!("podman".parse::<EngineSelector>().ok(), Some(EngineSelector::Podman));
        assert!(matches!("tcp://u:p@127.0.0.1:1".parse::<EngineSelector>(), Err(EngineError::UserInUrl(_))));
        assert_eq!(
            "/x.sock".parse::<EngineSelector>().ok(),
            Some(EngineSelector::Url("unix:///x.sock".into()))
        );
        for bad in ["dokcer", "", "ssh://host", "unix://"] {
            assert!(bad.parse::<EngineSelector>().is_err(), "{bad}");
        }
    }
}
