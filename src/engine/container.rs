//! One throwaway container's life.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use bollard::{
    errors::Error as ApiError,
    exec::StartExecOptions,
    models::{ContainerCreateBody, ExecConfig, HostConfig, HostConfigLogConfig, PortBinding},
    query_parameters::{
        CreateContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
        RemoveContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder, StartContainerOptions,
        UploadToContainerOptionsBuilder, WaitContainerOptions,
    },
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{Engine, EngineError, Facts, LABEL, LOGIN_LABEL, Product, api, image::ca_archive, is_not_found};
use crate::provider::{descriptor::HOME, run_args::Publish};

/// A login is bounded to this much memory. More than any vendor's CLI was seen to use, less than a machine has.
const MEMORY_BYTES: i64 = 2 << 30;
const PIDS: i64 = 512;
/// Options of every tmpfs, the descriptor's too.
const CONFINED: &str = "rw,nosuid,nodev,noexec";
/// Of ours: writable for whichever user the container runs as.
const TMPFS: &str = "mode=1777,size=512m";
/// Sends signal `$1` to everything but process 1 and itself.
const SIGNAL_ALL: &str = "kill -s \"$1\" -- -1";

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
}

/// What a container is to be.
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// Its name; unique.
    pub name: String,
    /// Identity of the login, for the label.
    pub login: String,
    /// The image.
    pub image: String,
    /// The command.
    pub command: Vec<String>,
    /// It may be connected to from outside, when it ends, too: with [`Container::relay`].
    pub reached: bool,
    /// Its whole environment beyond the image's own.
    pub env: Vec<(String, String)>,
    /// The one directory of the host that it sees.
    pub host_dir: PathBuf,
    /// Where it sees it.
    pub mount: String,
    /// More places in memory: path and options.
    pub tmpfs: Vec<(String, String)>,
    /// Ports published on 127.0.0.1.
    pub publish: Vec<Publish>,
    /// The network, if not the engine's default.
    pub network: Option<String>,
    /// More hosts: `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    /// Certificates to trust.
    pub ca_bundle: Option<Vec<u8>>,
    /// The size of the terminal that it gets, if it gets one.
    pub terminal: Option<Size>,
}

/// A container that was made; [`Container::remove`] must be called on every way out.
#[derive(Clone, Debug)]
pub struct Container {
    pub(super) engine: Engine,
    /// Its id.
    pub id: String,
    pub(super) terminal: bool,
}

impl Engine {
    /// Makes a container, not yet running.
    ///
    /// # Errors
    /// [`EngineError::NoImage`], [`EngineError::Unmountable`], [`EngineError::Api`]
    pub async fn create(&self, spec: &ContainerSpec) -> Result<Container, EngineError> {
        let body = self.body(spec)?;
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let created = self.api.create_container(Some(options), body).await.map_err(|error| {
            if is_not_found(&error) {
                EngineError::NoImage { image: spec.image.clone(), url: self.url.clone() }
            } else {
                api("making the login's container")(error)
            }
        })?;
        let container = Container { engine: self.clone(), id: created.id, terminal: spec.terminal.is_some() };
        if let Some(bundle) = &spec.ca_bundle
            && let Err(error) = container.put_ca(bundle).await
        {
            container.remove().await?;
            return Err(error);
        }
        Ok(container)
    }

    fn body(&self, spec: &ContainerSpec) -> Result<ContainerCreateBody, EngineError> {
        let env = [("HOME".to_owned(), HOME.to_owned())].into_iter().chain(spec.env.iter().cloned());
        Ok(ContainerCreateBody {
            image: Some(spec.image.clone()),
            // Whatever entrypoint the image has: engines differ in how it is reset, but not in how it is replaced.
            entrypoint: Some(command(spec).into_iter().take(1).collect()),
            cmd: Some(command(spec).into_iter().skip(1).collect()),
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            // Not the home directory: an engine would make it, as root's, before the tmpfs is there.
            working_dir: Some("/tmp".to_owned()),
            user: Some(self.user()),
            tty: Some(spec.terminal.is_some()),
            open_stdin: Some(spec.terminal.is_some()),
            stdin_once: Some(spec.terminal.is_some()),
            attach_stdin: Some(spec.terminal.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            labels: Some(HashMap::from([
                (LABEL.to_owned(), String::new()),
                (LOGIN_LABEL.to_owned(), spec.login.clone()),
            ])),
            host_config: Some(self.host_config(spec)?),
            ..Default::default()
        })
    }

    fn host_config(&self, spec: &ContainerSpec) -> Result<HostConfig, EngineError> {
        let host_dir = spec.host_dir.to_str().filter(|path| !path.contains(':'));
        let host_dir = host_dir.ok_or_else(|| EngineError::Unmountable(spec.host_dir.clone()))?;
        let relabel = if self.facts.selinux { ":Z" } else { "" };
        let ours = ancestors_below_home(&spec.mount).map(|path| (path, TMPFS));
        let more = spec.tmpfs.iter().map(|(path, options)| (path.clone(), options.as_str()));
        let tmpfs = ours.chain(more).map(|(path, options)| (path, format!("{CONFINED},{options}"))).collect();
        let ports = spec.publish.iter().map(|publish| {
            let binding =
                PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(publish.host.to_string()) };
            (format!("{}/tcp", publish.container), Some(vec![binding]))
        });
        // So that the login's files are ours: see `user`.
        let userns_mode = match self.facts {
            Facts { product: Product::Podman, rootless: true, .. } => Some("keep-id"),
            Facts { remaps: true, .. } => Some("host"),
            _ => None,
        };
        Ok(HostConfig {
            binds: Some(vec![format!("{host_dir}:{}{relabel}", spec.mount)]),
            tmpfs: Some(tmpfs),
            port_bindings: Some(ports.collect()),
            network_mode: spec.network.clone(),
            extra_hosts: Some(spec.extra_hosts.clone()),
            userns_mode: userns_mode.map(str::to_owned),
            cap_drop: Some(vec!["ALL".into()]),
            security_opt: Some(vec!["no-new-privileges".into()]),
            memory: Some(MEMORY_BYTES),
            // As much with swap as without: none. Otherwise engines allow as much again.
            memory_swap: Some(MEMORY_BYTES),
            pids_limit: Some(PIDS),
            // What a login prints (URLs, codes) is for the person at the terminal, not for the engine's log.
            log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
            ..Default::default()
        })
    }

    /// The user that makes the login's files ours: our own ids, except on rootless Docker, which maps its root to us.
    fn user(&self) -> String {
        if self.facts.product == Product::Docker && self.facts.rootless {
            return "0:0".into();
        }
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        format!("{}:{}", uid.as_raw(), gid.as_raw())
    }

    /// Names of the containers, running or not, that carry the login label `login`.
    pub async fn login_containers(&self, login: &str) -> Result<Vec<String>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{LOGIN_LABEL}={login}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = self.api.list_containers(Some(options)).await.map_err(api("listing containers"))?;
        Ok(found.into_iter().filter_map(|container| container.id).collect())
    }

    /// Ends a container at once; one that has ended, or is gone already, is no error.
    pub async fn kill_container(&self, id: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        match self.api.kill_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(ApiError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(api("ending the login's container")(error)),
        }
    }

    /// Removes a container, running or not; one that is gone already is no error.
    pub async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.api.remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            // 409: its removal is under way already.
            Err(ApiError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(api("removing the login's container")(error)),
        }
    }
}

/// Waits, for two seconds at most, while there are processes that were brought into the container from outside, which
/// shows in their having no parent in it: a browser's connection to the command, which would lose the last page.
const LINGER: &str = r#"
left=20
while [ $left -gt 0 ]; do
  left=$((left - 1)) joined=
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- ${line##*) }
    case $line in "1 "*) ;; *) [ "$2" != 0 ] || joined=1 ;; esac
  done
  [ -n "$joined" ] || break
  sleep 0.1 2>/dev/null || sleep 1
done
"#;

/// The command under a shell that stays its parent. The shell is process 1, for which the kernel ignores signals that
/// it has not asked for; the command itself must feel Ctrl-C. With a terminal the size is set before the command
/// starts: no engine does that by itself on every version.
fn command(spec: &ContainerSpec) -> Vec<String> {
    let size = match spec.terminal {
        Some(Size { rows, cols }) => format!("stty rows {rows} cols {cols} 2>/dev/null; "),
        None => String::new(),
    };
    // The shell itself is quiet: it would say how a signal ended the command. What is redirected in the shell that waits
    // would count for it, too, so that is done in the one that becomes the command.
    let linger = if spec.reached { LINGER } else { "" };
    let script = format!("{size}exec 3>&2 2>/dev/null; (exec \"$@\" 2>&3 3>&-); code=$?\n{linger}exit $code");
    ["/bin/sh", "-c", &script, "sh"]
        .map(str::to_owned)
        .into_iter()
        .chain(spec.command.iter().cloned())
        .collect()
}

/// The home directory and the directories between it and the mount, outermost first. All must be writable, and an
/// engine makes those that are not there as root's.
fn ancestors_below_home(mount: &str) -> impl Iterator<Item = String> {
    let below = mount.strip_prefix(HOME).filter(|rest| rest.starts_with('/')).unwrap_or_default();
    let ends = below.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    ends.into_iter()
        .map(|at| format!("{HOME}{}", &below[..at]))
        .chain(below.is_empty().then(|| HOME.to_owned()))
}

impl Container {
    async fn put_ca(&self, bundle: &[u8]) -> Result<(), EngineError> {
        let archive = ca_archive(bundle)
            .map_err(|source| EngineError::Io { what: "the bundle of certificates".into(), source })?;
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(archive.into());
        let done = self.engine.api.upload_to_container(&self.id, Some(options), body).await;
        done.map_err(api("putting the bundle of certificates into the container"))
    }

    /// Starts it.
    pub async fn start(&self) -> Result<(), EngineError> {
        let started = self.engine.api.start_container(&self.id, None::<StartContainerOptions>).await;
        started.map_err(api("starting the login's container"))
    }

    /// Tells its terminal that the size has changed. Never fatal: the command may just have ended.
    pub async fn resize(&self, size: Size) {
        let options =
            ResizeContainerTTYOptionsBuilder::default().h(size.rows.into()).w(size.cols.into()).build();
        let _ = self.engine.api.resize_container_tty(&self.id, options).await;
    }

    /// Waits until it has ended; its exit code.
    pub async fn wait(&self) -> Result<i64, EngineError> {
        // Podman answers only when the container has ended, however long that takes.
        let patient = self.engine.api.clone().with_timeout(Duration::from_secs(7 * 24 * 3600));
        let mut ends = Box::pin(patient.wait_container(&self.id, None::<WaitContainerOptions>));
        match ends.next().await {
            Some(Ok(end)) => Ok(end.status_code),
            Some(Err(ApiError::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(api("waiting for the login's container")(error)),
            None => Err(api("waiting for the login's container")(ApiError::RequestTimeoutError)),
        }
    }

    /// Sends a signal (`TERM`, `INT`, ..) to its command and all that it started. Never fatal: they may have ended.
    pub async fn signal(&self, signal: &str) {
        let command = ["/bin/sh", "-c", SIGNAL_ALL, "sh", signal].map(str::to_owned).to_vec();
        let exec = ExecConfig { cmd: Some(command), ..Default::default() };
        if let Ok(exec) = self.engine.api.create_exec(&self.id, exec).await {
            let options = StartExecOptions { detach: true, ..Default::default() };
            let _ = self.engine.api.start_exec(&exec.id, Some(options)).await;
        }
    }

    /// Ends it at once; one that has ended already is no error.
    pub async fn kill(&self) -> Result<(), EngineError> {
        self.engine.kill_container(&self.id).await
    }

    /// Asks it to end, and ends it when it has not after `grace`. A silent engine is not waited for
    /// much longer.
    pub async fn stop(&self, grace: Duration) -> Result<(), EngineError> {
        let asked = timeout(grace, self.signal("TERM")).await;
        // An error is no end: it may be the engine's, and not the command's.
        if asked.is_ok() && matches!(timeout(grace, self.wait()).await, Ok(Ok(_))) {
            return Ok(());
        }
        match timeout(2 * grace, self.kill()).await {
            Ok(killed) => killed?,
            Err(_) => return Err(api("ending the login's container")(ApiError::RequestTimeoutError)),
        }
        let _ = timeout(grace, self.wait()).await;
        Ok(())
    }

    /// Removes it, running or not.
    pub async fn remove(&self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_between_home_and_mount_is_writable() {
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
