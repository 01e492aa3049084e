//! The variables and directories that say where engines listen.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::EngineSelector;

/// The parts of the process's environment that lead to engines.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) docker_host: Option<OsString>,
    pub(super) container_host: Option<OsString>,
    pub(super) runtime_dir: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
    pub(super) root: bool,
}

/// A URL at which an engine may listen, and the reason to try it.
pub(super) type Place = (String, &'static str);

impl Environment {
    /// Reads the environment of this process.
    pub(super) fn from_env() -> Self {
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

    /// Lists the places to try, in order. A URL or a variable that names one place excludes all others.
    pub(super) fn places(&self, selector: &EngineSelector) -> Vec<Place> {
        let explicit = |value: &Option<OsString>, name| {
            let url = |value: &OsString| match value.to_string_lossy() {
                path if path.starts_with('/') => unix_url(Path::new(path.as_ref())),
                url => url.into_owned(),
            };
            value.as_ref().map(|value| vec![(url(value), name)])
        };
        let docker_host = explicit(&self.docker_host, "DOCKER_HOST");
        let container_host = explicit(&self.container_host, "CONTAINER_HOST");
        match selector {
            EngineSelector::Url(url) => vec![(url.clone(), "asked for")],
            EngineSelector::Docker => docker_host.unwrap_or_else(|| self.docker_sockets()),
            EngineSelector::Podman => container_host.unwrap_or_else(|| self.podman_sockets()),
            EngineSelector::Any => docker_host
                .or(container_host)
                .unwrap_or_else(|| self.docker_sockets().into_iter().chain(self.podman_sockets()).collect()),
        }
    }

    fn docker_sockets(&self) -> Vec<Place> {
        let mut places = vec![(unix_url(Path::new("/var/run/docker.sock")), "Docker's socket")];
        if let Some(dir) = &self.runtime_dir {
            places.push((unix_url(&dir.join("docker.sock")), "rootless Docker's socket"));
        }
        if let Some(home) = &self.home {
            places.push((unix_url(&home.join(".docker/run/docker.sock")), "Docker Desktop's socket"));
        }
        places
    }

    fn podman_sockets(&self) -> Vec<Place> {
        let mut places = Vec::new();
        if let Some(dir) = self.runtime_dir.as_ref().filter(|_| !self.root) {
            places.push((unix_url(&dir.join("podman/podman.sock")), "your Podman socket"));
        }
        places.push((unix_url(Path::new("/run/podman/podman.sock")), "the system's Podman socket"));
        places
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
            docker_host: None,
            container_host: None,
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            root: false,
        }
    }

    fn urls(environment: &Environment, selector: EngineSelector) -> Vec<String> {
        environment.places(&selector).into_iter().map(|(url, _)| url).collect()
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
