//! The variables and directories that say where engines listen.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    EngineSelector,
    contexts::{self, DockerConfig},
};
use crate::redact;

/// The parts of the process's environment that lead to engines.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) docker_host: Option<OsString>,
    pub(super) docker_context: Option<OsString>,
    pub(super) container_host: Option<OsString>,
    pub(super) container_connection: Option<OsString>,
    pub(super) runtime_dir: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
    pub(super) root: bool,
    pub(super) docker: DockerConfig,
}

/// A place at which an engine may listen.
#[derive(Debug)]
pub(super) struct Place {
    /// The URL, or why there is none.
    pub(super) url: Result<String, String>,
    /// The reason to try it.
    pub(super) reason: String,
}

impl Environment {
    /// Reads the environment of this process.
    pub(super) fn from_env() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let uid = rustix::process::geteuid();
        let user_dir = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
        let home = set("HOME").map(PathBuf::from);
        Self {
            docker_host: set("DOCKER_HOST"),
            docker_context: set("DOCKER_CONTEXT"),
            container_host: set("CONTAINER_HOST"),
            container_connection: set("CONTAINER_CONNECTION"),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from).or(user_dir.is_dir().then_some(user_dir)),
            docker: DockerConfig::new(home.as_deref()),
            home,
            root: uid.is_root(),
        }
    }

    /// Lists the places to try, in order. A URL or a variable that names one place excludes all others.
    pub(super) fn places(&self, selector: &EngineSelector) -> Vec<Place> {
        let (docker, podman) = (|| self.docker_variable(), || self.podman_variable());
        match selector {
            EngineSelector::Url(url) => vec![place(Ok(url.clone()), "asked for")],
            EngineSelector::Docker => docker().map_or_else(|| self.docker_places(), |place| vec![place]),
            EngineSelector::Podman => podman().map_or_else(|| self.podman_places(), |place| vec![place]),
            EngineSelector::Any => docker()
                .or_else(podman)
                .map(|place| vec![place])
                .unwrap_or_else(|| self.docker_places().into_iter().chain(self.podman_places()).collect()),
        }
    }

    /// Returns the place that a variable of the Docker CLI names.
    fn docker_variable(&self) -> Option<Place> {
        if let Some(host) = &self.docker_host {
            let url = contexts::with_certificates(&url(host), self.docker.certificates());
            return Some(place(Ok(url), "DOCKER_HOST"));
        }
        let name = self.docker_context.as_ref().filter(|name| *name != contexts::DEFAULT)?.to_string_lossy();
        Some(self.context(&name, "DOCKER_CONTEXT"))
    }

    /// Returns the place that a variable of Podman names.
    fn podman_variable(&self) -> Option<Place> {
        if let Some(host) = &self.container_host {
            let identity = env::var("CONTAINER_SSHKEY").ok().filter(|_| url(host).starts_with("ssh://"));
            let identity = identity.filter(|file| !file.is_empty()).map(|file| format!("#{file}"));
            return Some(place(Ok(url(host) + &identity.unwrap_or_default()), "CONTAINER_HOST"));
        }
        let name = self.container_connection.as_ref()?.to_string_lossy();
        let url = contexts::podman_url(self.home.as_deref(), Some(&name)).transpose()?;
        Some(place(url, &format!("CONTAINER_CONNECTION, connection {}", redact::quote(&name))))
    }

    /// Returns the place of the context that `docker context use` has chosen.
    pub(super) fn current_context(&self) -> Option<Place> {
        // A variable, even one with the default context, counts instead.
        match self.docker_context.is_none().then(|| self.docker.current())? {
            Ok(name) => name.map(|name| self.context(&name, "docker context use")),
            Err(why) => Some(place(Err(why), "docker context use")),
        }
    }

    fn context(&self, name: &str, chosen_by: &str) -> Place {
        place(self.docker.url(name), &format!("{chosen_by}, context {}", redact::quote(name)))
    }

    fn docker_places(&self) -> Vec<Place> {
        self.current_context().map_or_else(|| self.docker_sockets(), |place| vec![place])
    }

    fn podman_places(&self) -> Vec<Place> {
        let default = contexts::podman_url(self.home.as_deref(), None).transpose();
        let default = default.map(|url| place(url, "Podman's default connection"));
        self.podman_sockets().into_iter().chain(default).collect()
    }

    fn docker_sockets(&self) -> Vec<Place> {
        let mut places = vec![place(Ok(unix_url(Path::new("/var/run/docker.sock"))), "Docker's socket")];
        if let Some(dir) = &self.runtime_dir {
            places.push(place(Ok(unix_url(&dir.join("docker.sock"))), "rootless Docker's socket"));
        }
        if let Some(home) = &self.home {
            places
                .push(place(Ok(unix_url(&home.join(".docker/run/docker.sock"))), "Docker Desktop's socket"));
        }
        places
    }

    fn podman_sockets(&self) -> Vec<Place> {
        let mut places = Vec::new();
        if let Some(dir) = self.runtime_dir.as_ref().filter(|_| !self.root) {
            places.push(place(Ok(unix_url(&dir.join("podman/podman.sock"))), "your Podman socket"));
        }
        places.push(place(Ok(unix_url(Path::new("/run/podman/podman.sock"))), "the system's Podman socket"));
        places
    }
}

fn place(url: Result<String, String>, reason: &str) -> Place {
    Place { url, reason: reason.to_owned() }
}

/// Returns the URL that a variable holds; a path is that of a socket.
fn url(value: &OsString) -> String {
    match value.to_string_lossy() {
        path if path.starts_with('/') => unix_url(Path::new(path.as_ref())),
        url => url.into_owned(),
    }
}

/// Returns the URL of a Unix socket.
fn unix_url(path: &Path) -> String {
    format!("unix://{}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment {
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            ..Environment::default()
        }
    }

    fn urls(environment: &Environment, selector: EngineSelector) -> Vec<String> {
        environment.places(&selector).into_iter().map(|place| place.url.expect("a URL")).collect()
    }

    #[test]
    fn places_with_a_named_engine_are_that_one_only() {
        let mut environment = environment();
        assert_eq!(urls(&environment, EngineSelector::Url("unix:///x".into())), ["unix:///x"]);
        environment.container_host = Some("unix:///c".into());
        assert_eq!(urls(&environment, EngineSelector::Any), ["unix:///c"]);
        environment.docker_host = Some("/d".into());
        assert_eq!(urls(&environment, EngineSelector::Any), ["unix:///d"]);
        assert_eq!(urls(&environment, EngineSelector::Podman), ["unix:///c"]);
    }

    #[test]
    fn places_without_a_named_engine_are_the_usual_sockets_in_order() {
        let environment = environment();
        let all = urls(&environment, EngineSelector::Any);
        assert_eq!(all[0], "unix:///var/run/docker.sock");
        assert!(all.contains(&"unix:///run/user/7/podman/podman.sock".to_owned()));
        assert_eq!(
            urls(&environment, EngineSelector::Podman).last().map(String::as_str),
            Some("unix:///run/podman/podman.sock")
        );
    }
}
