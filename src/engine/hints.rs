//! What to do where no engine answered.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::locate::{Choice, Surroundings};

/// What to do about a place that was named, or else about the product that is wanted. `may_not`: there is a socket that
/// the user has no right to.
pub(super) fn advice(here: &Surroundings, choice: &Choice, may_not: bool) -> String {
    let only = |who: &str, else_do: &str| {
        format!("{who} names that place, and no other is looked at: start the engine there, or {else_do}")
    };
    let elsewhere = "to have the usual sockets looked at";
    let (docker, podman) = (here.docker_host.is_some(), here.container_host.is_some());
    match choice {
        Choice::Url(_) => only("--engine (or the project's file)", "name another one"),
        Choice::Any | Choice::Docker if docker => only("DOCKER_HOST", &format!("unset it {elsewhere}")),
        Choice::Any | Choice::Podman if podman => only("CONTAINER_HOST", &format!("unset it {elsewhere}")),
        Choice::Docker => {
            use_docker(here, may_not).unwrap_or_else(|| "install Docker, or use another engine".into())
        }
        Choice::Podman => {
            start_podman(here).unwrap_or_else(|| "install Podman, or use another engine".into())
        }
        Choice::Any => start_podman(here)
            .or_else(|| use_docker(here, may_not))
            .unwrap_or_else(|| "install Docker or Podman, or name one with --engine".into()),
    }
}

/// How Docker comes to be used, where it is installed.
fn use_docker(here: &Surroundings, may_not: bool) -> Option<String> {
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
fn start_podman(here: &Surroundings) -> Option<String> {
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
        let docker_host = Surroundings { docker_host: Some("/d".into()), ..Surroundings::default() };
        let container_host = Surroundings { container_host: Some("/c".into()), ..Surroundings::default() };
        let url = Choice::Url("unix:///x".into());
        for (here, choice, who) in [
            (&docker_host, &Choice::Any, "DOCKER_HOST names"),
            (&docker_host, &Choice::Docker, "DOCKER_HOST names"),
            (&container_host, &Choice::Any, "CONTAINER_HOST names"),
            (&container_host, &Choice::Podman, "CONTAINER_HOST names"),
            (&docker_host, &url, "--engine (or the project's file) names"),
        ] {
            assert!(advice(here, choice, false).starts_with(who), "{choice:?}");
        }
    }

    #[test]
    fn podman_is_no_advice_for_docker() {
        let here = Surroundings::default();
        for may_not in [true, false] {
            assert!(!advice(&here, &Choice::Docker, may_not).to_lowercase().contains("podman"));
        }
        assert!(advice(&here, &Choice::Docker, true).contains("usermod -aG docker"));
        assert!(!advice(&here, &Choice::Podman, true).contains("docker"));
    }
}
