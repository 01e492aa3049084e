//! A login in progress: its record, its directory and its container.

use std::{path::Path, time::Duration};

use tokio::time::sleep;

use super::{
    dir::LoginDir,
    files::{LoginFiles, Marker, copy_in},
};
use crate::{
    blocking,
    config::Paths,
    credential::Record,
    engine::{Container, ContainerSpec, Engine, EngineError, attach::Attached},
    fs::remove_tree,
    login::{
        LoginError,
        deadline::Deadline,
        error::Ending,
        record::{LoginLock, LoginRecord},
    },
    provider::Descriptor,
    vendor_files::{self, CaptureError},
};

/// Time for an engine to remove a container. Podman first gives the container ten seconds to end.
pub(super) const REMOVAL: Duration = Duration::from_secs(15);

/// Time for what a container writes into our directory to be seen there.
const SEEN: Duration = Duration::from_secs(5);

/// A login that creates a directory and a container. Its record stays on the disk for the next sweep however the login
/// ends, even by being dropped, unless [`LoginGuard::clean_up`] succeeds.
#[derive(Debug)]
#[must_use]
pub(super) struct LoginGuard {
    provider: Descriptor,
    dir: LoginDir,
    record: LoginRecord,
    /// Whether no container is left; else the reason.
    container: Result<(), String>,
    /// The container that was created last.
    running: Option<Container>,
    /// Whether the CLI may have been started.
    pub(super) may_have_started: bool,
}

impl LoginGuard {
    /// Creates the login's directory and in it the directory that the container sees, and records the engine.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub(super) async fn new(
        lock: LoginLock,
        paths: &Paths,
        engine: &str,
        provider: &Descriptor,
    ) -> Result<Self, LoginError> {
        let (paths, engine, provider) = (paths.clone(), engine.to_owned(), provider.clone());
        blocking::run(move || {
            let name = provider.host_dir_name.as_deref().unwrap_or("files");
            let dir = LoginDir::make(&paths, lock.login(), name)?;
            let record = lock.record_engine(&engine)?;
            Ok(Self { dir, record, provider, container: Ok(()), running: None, may_have_started: false })
        })
        .await
    }

    /// Returns the login's identity.
    pub(super) fn login(&self) -> &str {
        &self.record.holder.login
    }

    /// Returns the directory that the container sees.
    pub(super) fn files(&self) -> &Path {
        self.dir.path()
    }

    /// Creates the container, attaches to it and starts it. The login's directory is mounted if the engine sees it and the
    /// container writes into it, which is found out before the command starts; otherwise the container gets a volume.
    ///
    /// # Errors
    /// [`Ending`] if the login ended first.
    pub(super) async fn launch(
        &mut self,
        engine: &Engine,
        mut spec: ContainerSpec,
        deadline: &mut Deadline<'_>,
    ) -> Result<Result<Attached, EngineError>, Ending> {
        // From here on there may be a container, if only the one that is a question.
        self.container = no_answer("create");
        match deadline.run_with_grace(engine.finds_directory(&spec)).await? {
            Ok(found) => {
                self.container = Ok(());
                spec.has_volume = !found;
            }
            Err(error) => {
                self.remove_all(engine, deadline).await;
                return Ok(Err(error));
            }
        }
        if !spec.has_volume {
            let name = format!(".authenticate-{}", spec.login);
            spec.marker = Some(name.clone());
            match Marker::new(self.files(), &name) {
                Ok(marker) => match self.start(engine, &spec, Some(marker), deadline).await? {
                    Ok(Some(attached)) => return Ok(Ok(attached)),
                    Ok(None) => {}
                    Err(error) => return Ok(Err(error)),
                },
                Err(source) => {
                    return Ok(Err(EngineError::Io {
                        action: "write into the login's directory".into(),
                        source,
                    }));
                }
            }
            spec.has_volume = true;
            spec.marker = None;
        }
        let started = self.start(engine, &spec, None, deadline).await?;
        Ok(started.and_then(|attached| attached.ok_or(EngineError::timed_out("start the login's container"))))
    }

    /// Creates and starts a container. `Ok(None)` if it has not emptied the marker: then its command has not started.
    async fn start(
        &mut self,
        engine: &Engine,
        spec: &ContainerSpec,
        marker: Option<Marker>,
        deadline: &mut Deadline<'_>,
    ) -> Result<Result<Option<Attached>, EngineError>, Ending> {
        self.container = no_answer("create");
        let created = deadline.run_with_grace(engine.create(spec)).await?;
        self.container = no_answer("remove");
        let container = match created {
            Ok(container) => container,
            Err(error) => {
                self.remove_all(engine, deadline).await;
                return Ok(Err(error));
            }
        };
        self.running = Some(container.clone());
        let files = self.files().to_owned();
        let begin = async {
            if spec.has_volume {
                copy_in(&container, &spec.mount, &files).await?;
            }
            container.attach().await
        };
        let attached = match deadline.run(begin).await? {
            Ok(attached) => attached,
            Err(error) => return Ok(Err(error)),
        };
        // Also with a marker: it is removed when this is dropped.
        self.may_have_started = true;
        if let Err(error) = deadline.run(container.start()).await? {
            self.may_have_started = !error.is_refusal();
            return Ok(Err(error));
        }
        let Some(marker) = marker else { return Ok(Ok(Some(attached))) };
        let emptied = deadline.run(async {
            tokio::select! {
                biased;
                () = marker.emptied() => true,
                _ = container.wait() => false,
                () = sleep(SEEN) => false,
            }
        });
        if emptied.await? {
            return Ok(Ok(Some(attached)));
        }
        // Before the marker, whose removal starts the command.
        self.remove(deadline).await;
        self.may_have_started = false;
        Ok(Ok(None))
    }

    /// Returns the container that was started last.
    pub(super) fn running(&self) -> Option<&Container> {
        self.running.as_ref()
    }

    /// Removes the container.
    pub(super) async fn remove(&mut self, deadline: &mut Deadline<'_>) {
        if let Some(container) = self.running.take() {
            self.removed(deadline.run_at_most(REMOVAL, container.remove()).await);
        }
    }

    /// Removes the containers that the engine may have created although it said otherwise, by their label.
    async fn remove_all(&mut self, engine: &Engine, deadline: &mut Deadline<'_>) {
        let login = self.login().to_owned();
        self.removed(deadline.run_at_most(REMOVAL, engine.remove_login_containers(&login)).await);
    }

    fn removed(&mut self, answer: Option<Result<(), EngineError>>) {
        if let Some(removed) = answer {
            self.container = removed.map_err(|error| error.to_string());
        }
    }

    /// Writes a credential into the files that the CLI reads.
    pub(super) async fn write(&self, record: &Record) -> Result<(), CaptureError> {
        let (files, provider, record) = (self.files().to_owned(), self.provider.clone(), record.clone());
        blocking::run(move || {
            let (map, state) = (&provider.capture, &provider.post_capture_state);
            vendor_files::write(&files, map, state, &record.credential, &record.metadata).map(drop)
        })
        .await
    }

    /// Returns the login's files.
    pub(super) fn login_files(&self) -> LoginFiles {
        LoginFiles {
            dir: self.files().to_owned(),
            map: self.provider.capture.clone(),
            volume: self.running.clone().filter(Container::has_own_files),
        }
    }

    /// Removes the files that the CLI left, of which the disk may be full.
    pub(super) async fn remove_files(&self) {
        let files = self.files().to_owned();
        let _ = blocking::run(move || remove_tree::remove(&files)).await;
    }

    /// Removes the directory, and the record if no container is left.
    ///
    /// # Errors
    /// A description of what is left; the record stays.
    pub(super) async fn clean_up(self) -> Result<(), String> {
        blocking::run(move || {
            let directory = self.dir.remove();
            self.container.and(directory).map(|()| self.record.remove())
        })
        .await
    }
}

/// Makes the result for a container that may be left because the engine did not answer in time.
fn no_answer(action: &str) -> Result<(), String> {
    Err(format!("cannot {action} the login's container: the engine does not answer"))
}

#[cfg(test)]
mod tests {
    use std::{future::pending, path::PathBuf, pin::pin};

    use super::*;
    use crate::{
        credential::Address,
        login::{cli::dir, record::find_abandoned},
    };

    async fn guard() -> (tempfile::TempDir, Paths, LoginGuard) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        let address = Address::default_profile("codex".parse().expect("name"));
        let lock = LoginLock::take(&paths, &address).expect("free");
        let guard =
            LoginGuard::new(lock, &paths, "unix:///x.sock", &Descriptor::default()).await.expect("made");
        std::fs::write(guard.files().join("auth.json"), "secret").expect("written");
        (directory, paths, guard)
    }

    fn left(paths: &Paths) -> Vec<PathBuf> {
        std::fs::read_dir(paths.logins()).expect("read").flatten().map(|entry| entry.path()).collect()
    }

    /// As in a program that stops waiting for the login: the process lives on, and so may the container.
    #[tokio::test]
    async fn guard_that_is_dropped_leaves_its_record_and_no_files() {
        let (_directory, paths, guard) = guard().await;
        let login = guard.login().to_owned();
        {
            let running = pin!(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            assert!(futures_util::poll!(running).is_pending());
            assert!(find_abandoned(&paths).expect("looked").is_empty(), "it runs");
        }
        assert!(!dir::login_dir(&paths, &login).exists(), "the secrets are removed at once");
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].holder.engine.as_deref(), Some("unix:///x.sock"));
    }

    #[tokio::test]
    async fn clean_up_with_everything_removed_leaves_nothing() {
        let (_directory, paths, guard) = guard().await;
        guard.clean_up().await.expect("removed");
        assert_eq!(left(&paths), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn clean_up_with_a_container_left_keeps_the_record_only() {
        let (_directory, paths, mut guard) = guard().await;
        let (login, why) = (guard.login().to_owned(), "the engine does not answer".to_owned());
        guard.container = Err(why.clone());
        assert_eq!(guard.clean_up().await, Err(why));
        assert!(!dir::login_dir(&paths, &login).exists());
        assert_eq!(find_abandoned(&paths).expect("looked").len(), 1);
    }
}
