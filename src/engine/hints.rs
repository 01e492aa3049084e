//! Advice for the case that no engine answered.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{EngineSelector, contexts, environment::Environment, error::EngineHint};

/// Returns the advice for the setting that named one place, or else for the selected product. `forbidden`: a socket
/// exists that this user has no right to use.
pub(super) fn not_found_hint(here: &Environment, selector: &EngineSelector, forbidden: bool) -> EngineHint {
    let only = |variable: &str| {
        format!(
            "{variable} names the only place that is tried: start the engine there, or unset it to try the usual sockets"
        )
    };
    let named = |variables: [(&Option<OsString>, &str); 2]| {
        let mut set = variables.into_iter().filter(|(value, _)| value.is_some());
        set.next().map(|(_, name)| only(name))
    };
    let context = here.docker_context.clone().filter(|name| name != contexts::DEFAULT);
    let docker = named([(&here.docker_host, "DOCKER_HOST"), (&context, "DOCKER_CONTEXT")]);
    let podman = named([
        (&here.container_host, "CONTAINER_HOST"),
        (&here.container_connection, "CONTAINER_CONNECTION"),
    ]);
    let named = match selector {
        EngineSelector::Url(_) => return EngineHint::SelectAnother,
        EngineSelector::Docker => docker,
        EngineSelector::Podman => podman,
        EngineSelector::Any => docker.or(podman),
    };
    if let Some(text) = named {
        return EngineHint::Text(text);
    }
    if here.current_context().is_some() && *selector != EngineSelector::Podman {
        let text = "start the engine of the context, or use another one: docker context use NAME";
        return EngineHint::Text(text.to_owned());
    }
    EngineHint::Text(match selector {
        EngineSelector::Docker => {
            docker_hint(here, forbidden).unwrap_or_else(|| "install Docker, or use another engine".into())
        }
        EngineSelector::Podman => {
            podman_hint(here).unwrap_or_else(|| "install Podman, or use another engine".into())
        }
        _ => match podman_hint(here).or_else(|| docker_hint(here, forbidden)) {
            Some(text) => text,
            None => return EngineHint::InstallOrSelect,
        },
    })
}

/// Returns how to start an installed Docker, or how to get access to a running one.
fn docker_hint(here: &Environment, forbidden: bool) -> Option<String> {
    let root = if here.root { "" } else { "sudo " };
    if forbidden {
        let join = format!("{root}usermod -aG docker $USER");
        return Some(format!(
            "only the group docker may use Docker's socket: join the group with `{join}` and log in to the machine again (members of the group have the rights of root)"
        ));
    }
    let docker = installed("dockerd").or_else(|| installed("docker"))?;
    let start = match has_systemd() {
        true => format!("{root}systemctl start docker"),
        false => format!("{root}dockerd &"),
    };
    Some(format!("{} is installed; start it with: {start}", docker.display()))
}

/// Returns a command line that starts the socket of an installed Podman.
fn podman_hint(here: &Environment) -> Option<String> {
    let podman = installed("podman")?;
    let command = if has_systemd() {
        format!("systemctl {}start podman.socket", if here.root { "" } else { "--user " })
    } else {
        let (runtime_dir, first) = match (&here.runtime_dir, here.root) {
            (_, true) => (Path::new("/run"), ""),
            (Some(dir), false) => (dir.as_path(), ""),
            (None, false) => (Path::new("$XDG_RUNTIME_DIR"), "export XDG_RUNTIME_DIR=$(mktemp -d); "),
        };
        // Podman does not create the directory.
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

    fn text(here: &Environment, selector: &EngineSelector, forbidden: bool) -> String {
        match not_found_hint(here, selector, forbidden) {
            EngineHint::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn hint_with_a_named_place_names_the_setting() {
        let docker_host = Environment { docker_host: Some("/d".into()), ..Environment::default() };
        let container_host = Environment { container_host: Some("/c".into()), ..Environment::default() };
        for (here, selector, setting) in [
            (&docker_host, &EngineSelector::Any, "DOCKER_HOST names"),
            (&docker_host, &EngineSelector::Docker, "DOCKER_HOST names"),
            (&container_host, &EngineSelector::Any, "CONTAINER_HOST names"),
            (&container_host, &EngineSelector::Podman, "CONTAINER_HOST names"),
        ] {
            assert!(text(here, selector, false).starts_with(setting), "{selector:?}");
        }
        let url = EngineSelector::Url("unix:///x".into());
        assert_eq!(not_found_hint(&docker_host, &url, false), EngineHint::SelectAnother);
    }

    #[test]
    fn hint_for_one_product_does_not_name_the_other() {
        let here = Environment::default();
        for forbidden in [true, false] {
            let hint = text(&here, &EngineSelector::Docker, forbidden);
            assert!(!hint.to_lowercase().contains("podman"), "{hint}");
        }
        assert!(text(&here, &EngineSelector::Docker, true).contains("usermod -aG docker"));
        assert!(!text(&here, &EngineSelector::Podman, true).contains("docker"));
    }
}
