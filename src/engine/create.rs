//! Creates containers, confined so that a login's CLI can write the login's directory and nothing else.

use std::collections::HashMap;

use bollard::{
    errors::Error as ApiError,
    models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, PortBinding},
    query_parameters::CreateContainerOptionsBuilder,
};

use super::{
    Container, ContainerSpec, Engine, EngineError, Facts, LABEL, LOGIN_LABEL, Product, command,
    error::{api, has_status},
    files,
    passthrough::{CA_DIRECTORY, CA_FILE},
};
use crate::provider::{descriptor::HOME, run_args::Publish};

/// The memory limit of a login: more than any vendor's CLI was seen to use, less than a machine has.
const MEMORY_BYTES: i64 = 2 << 30;
/// The limit of processes of a login.
const PIDS: i64 = 512;

/// An exit code in words. That of a killed process names the likely reason.
pub fn exit_code(code: i64) -> String {
    match code {
        137 => format!("exit code 137: it was killed, as at its memory limit of {} GiB", MEMORY_BYTES >> 30),
        _ => format!("exit code {code}"),
    }
}
/// The options of every tmpfs, including those of the descriptor.
const CONFINED: &str = "rw,nosuid,nodev";
/// The options of our own tmpfs: writable for whichever user the container runs as.
const TMPFS: &str = "mode=1777,size=512m";
/// The directories that programs expect to be writable on every system. CLIs load code that they unpack there, so
/// it may be executed.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/run"];

impl Engine {
    /// Creates a container, without starting it.
    ///
    /// # Errors
    /// [`EngineError::NoImage`], [`EngineError::Api`]
    pub async fn create(&self, spec: &ContainerSpec) -> Result<Container, EngineError> {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let created = self.api.create_container(Some(options), self.body(spec)).await;
        let created = created.map_err(|error| self.not_created(spec, error))?;
        let container = Container {
            engine: self.clone(),
            id: created.id,
            terminal: spec.terminal.is_some(),
            volume: spec.has_volume.then(|| spec.mount.clone()),
        };
        if let Some(bundle) = &spec.ca_bundle
            && let Err(error) = container.upload_ca_bundle(bundle).await
        {
            container.remove().await?;
            return Err(error);
        }
        Ok(container)
    }

    pub(super) fn not_created(&self, spec: &ContainerSpec, error: ApiError) -> EngineError {
        if has_status(&error, &[404]) {
            EngineError::NoImage { image: spec.image.clone(), url: self.url.clone() }
        } else {
            api("create the login's container")(error)
        }
    }

    fn body(&self, spec: &ContainerSpec) -> ContainerCreateBody {
        let env = [("HOME".to_owned(), HOME.to_owned())].into_iter().chain(spec.env.iter().cloned());
        let command = command::wrap(spec);
        ContainerCreateBody {
            image: Some(spec.image.clone()),
            // Replaces the image's entrypoint: engines differ in how it is reset, not in how it is replaced.
            entrypoint: Some(command.iter().take(1).cloned().collect()),
            cmd: Some(command.into_iter().skip(1).collect()),
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            // Not the home directory: an engine would create it, owned by root, before it mounts the tmpfs.
            working_dir: Some("/tmp".to_owned()),
            user: Some(self.user(spec)),
            tty: Some(spec.terminal.is_some()),
            open_stdin: Some(spec.terminal.is_some()),
            stdin_once: Some(spec.terminal.is_some()),
            attach_stdin: Some(spec.terminal.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            labels: Some(labels(spec)),
            // The bundle is copied into a volume: the root is read-only, and engines copy into no tmpfs.
            volumes: spec.ca_bundle.is_some().then(|| vec![CA_DIRECTORY.to_owned()]),
            host_config: Some(self.host_config(spec)),
            ..Default::default()
        }
    }

    fn host_config(&self, spec: &ContainerSpec) -> HostConfig {
        HostConfig {
            binds: (!spec.has_volume).then(|| vec![self.bind(spec)]),
            mounts: spec.has_volume.then(|| vec![files::volume(spec)]),
            tmpfs: Some(tmpfs(spec)),
            port_bindings: Some(spec.publish.iter().map(port_binding).collect()),
            network_mode: spec.network.clone(),
            extra_hosts: Some(spec.extra_hosts.clone()),
            userns_mode: self.userns_mode(spec).map(str::to_owned),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".into()]),
            security_opt: Some(vec!["no-new-privileges".into()]),
            memory: Some(MEMORY_BYTES),
            // The sum of memory and swap, so no swap. By default engines allow as much swap as memory.
            memory_swap: Some(MEMORY_BYTES),
            pids_limit: Some(PIDS),
            // A login prints URLs and codes, which must not stay in the engine's log.
            log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
            ..Default::default()
        }
    }

    /// Returns the mount of the login's directory, relabelled where the engine labels containers. Docker has no
    /// `nosuid` and `nodev` for it.
    fn bind(&self, spec: &ContainerSpec) -> String {
        let confined = if self.facts.product == Product::Podman { CONFINED } else { "rw" };
        let relabel = if self.facts.selinux { ",Z" } else { "" };
        format!("{}:{}:{confined}{relabel}", spec.host_dir.display(), spec.mount)
    }

    /// Returns the user namespace in which [`user`](Self::user) owns the login's files on the host.
    fn userns_mode(&self, spec: &ContainerSpec) -> Option<&'static str> {
        match self.facts {
            _ if spec.has_volume => None,
            Facts { product: Product::Podman, rootless: true, .. } => Some("keep-id"),
            Facts { remaps: true, .. } => Some("host"),
            _ => None,
        }
    }

    /// Returns the user whose files this process owns on the host: our own ids, except on rootless Docker, which maps
    /// its root to us. A volume is root's, and our ids mean nothing where the engine is.
    fn user(&self, spec: &ContainerSpec) -> String {
        if spec.has_volume || self.facts.product == Product::Docker && self.facts.rootless {
            return "0:0".into();
        }
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        format!("{}:{}", uid.as_raw(), gid.as_raw())
    }
}

impl Container {
    async fn upload_ca_bundle(&self, bundle: &[u8]) -> Result<(), EngineError> {
        self.upload(CA_DIRECTORY, 0o644, [(CA_FILE, bundle)]).await
    }
}

/// Returns the labels by which a login's containers are found.
pub(super) fn labels(spec: &ContainerSpec) -> HashMap<String, String> {
    HashMap::from([(LABEL.to_owned(), String::new()), (LOGIN_LABEL.to_owned(), spec.login.clone())])
}

fn port_binding(publish: &Publish) -> (String, Option<Vec<PortBinding>>) {
    let binding =
        PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(publish.host.to_string()) };
    (format!("{}/tcp", publish.container), Some(vec![binding]))
}

fn tmpfs(spec: &ContainerSpec) -> HashMap<String, String> {
    let temporary = TEMPORARY.map(|path| (path.to_owned(), "exec", TMPFS));
    let home = ancestors_below_home(&spec.mount).map(|path| (path, "noexec", TMPFS));
    let more = spec.tmpfs.iter().map(|(path, options)| (path.clone(), "noexec", options.as_str()));
    let all = temporary.into_iter().chain(home).chain(more);
    all.map(|(path, exec, options)| (path, format!("{CONFINED},{exec},{options}"))).collect()
}

/// Lists the home directory and the directories between it and the mount, outermost first. All must be writable, and
/// an engine creates missing ones owned by root.
fn ancestors_below_home(mount: &str) -> impl Iterator<Item = String> {
    let below = mount.strip_prefix(HOME).filter(|rest| rest.starts_with('/')).unwrap_or_default();
    let ends = below.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    ends.into_iter()
        .map(|at| format!("{HOME}{}", &below[..at]))
        .chain(below.is_empty().then(|| HOME.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmpfs_covers_every_directory_between_home_and_mount() {
        let paths = |mount| ancestors_below_home(mount).collect::<Vec<_>>();
        assert_eq!(paths("/home/dev/.codex"), ["/home/dev"]);
        assert_eq!(
            paths("/home/dev/.local/share/x"),
            ["/home/dev", "/home/dev/.local", "/home/dev/.local/share"]
        );
        assert_eq!(paths("/srv/x"), ["/home/dev"]);
        assert_eq!(paths("/home/developer/x"), ["/home/dev"]);
    }
}
