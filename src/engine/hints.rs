//! What to do where no engine answered.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::locate::{EngineSelector, Environment};

/// What to do about a place that was named, or else about the product that is wanted. `may_not`: there is a socket that
/// the user has no right to.
pub(super) fn not_found_hint(here: &Environment, choice: &EngineSelector, may_not: bool) -> String {
    let only = |who: &str, else_do: &str| {
        format!("{who} names that place, and no other is looked at: start the engine there, or {else_do}")
    };
    let elsewhere = "to have the usual sockets looked at";
    let (docker, podman) = (here.docker_host.is_some(), here.container_host.is_some());
    match choice {
        EngineSelector::Url(_) => only("--engine (or the project's file)", "name another one"),
        EngineSelector::Any | EngineSelector::Docker if docker => {
            only("DOCKER_HOST", &format!("unset it {elsewhere}"))
        }
        EngineSelector::Any | EngineSelector::Podman if podman => {
            only("CONTAINER_HOST", &format!("unset it {elsewhere}"))
        }
        EngineSelector::Docker => {
            use_docker(here, may_not).unwrap_or_else(|| "install Docker, or use another engine".into())
        }
        EngineSelector::Podman => {
            start_podman(here).unwrap_or_else(|| "install Podman, or use another engine".into())
        }
        EngineSelector::Any => start_podman(here)
            .or_else(|| use_docker(here, may_not))
            .unwrap_or_else(|| "install Docker or Podman, or name one with --engine".into()),
    }
}

/// How Docker comes to be used, where it is installed.
fn use_docker(here: &Environment, may_not: bool) -> Option<String> {
    let root = if here.root { "" } else { "sudo " };
    if may_not {
        let join = format!("{root}usermod -aG docker $USER");
        return Some(format!(
            "Docker's socket is for the group docker: join it with `{join}` and log in to the machine anew; whoever is in it is as good as root there"
        ));
    }
    let docker = installed("dockerd").or_else(|| installed("docker"))?;
    let start = match has_systemd() {
        true => format!("{root}systemctl start docker"),
        false => format!("{root}dockerd &"),
    };
    Some(format!("{} is installed; start it with: {start}", docker.display()))
}

/// One line that starts Podman's socket, where Podman is installed.
fn start_podman(here: &Environment) -> Option<String> {
    let podman = installed("podman")?;
    let command = if has_systemd() {
        format!("systemctl {}start podman.socket", if here.root { "" } else { "--user " })
    } else {
        let (runtime_dir, first) = match (&here.runtime_dir, here.root) {
            (_, true) => (Path::new("/run"), ""),
            (Some(dir), false) => (dir.as_path(), ""),
            (None, false) => (Path::new("$XDG_RUNTIME_DIR"), "export XDG_RUNTIME_DIR=$(mktemp -d); "),
        };
        // Podman does not make the directory.
        let dir = runtime_dir.join("podman").display().to_string();
        format!("{first}mkdir -p {dir} && podman system service --time=0 unix://{dir}/podman.sock &")
    };
    Some(format!("{} is installed; start its socket with: {command}", podman.display()))
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_named_is_advised_on_by_whoever_named_it() {
        let docker_host = Environment { docker_host: Some("/d".into()), ..Environment::default() };
        let container_host = Environment { container_host: Some("/c".into()), ..Environment::default() };
        let url = EngineSelector::Url("unix:///x".into());
        for (here, choice, who) in [
            (&docker_host, &EngineSelector::Any, "DOCKER_HOST names"),
            (&docker_host, &EngineSelector::Docker, "DOCKER_HOST names"),
            (&container_host, &EngineSelector::Any, "CONTAINER_HOST names"),
            (&container_host, &EngineSelector::Podman, "CONTAINER_HOST names"),
            (&docker_host, &url, "--engine (or the project's file) names"),
        ] {
            assert!(not_found_hint(here, choice, false).starts_with(who), "{choice:?}");
        }
    }

    #[test]
    fn podman_is_no_advice_for_docker() {
        let here = Environment::default();
        for may_not in [true, false] {
            assert!(
                !not_found_hint(&here, &EngineSelector::Docker, may_not).to_lowercase().contains("podman")
            );
        }
        assert!(not_found_hint(&here, &EngineSelector::Docker, true).contains("usermod -aG docker"));
        assert!(!not_found_hint(&here, &EngineSelector::Podman, true).contains("docker"));
    }
}
