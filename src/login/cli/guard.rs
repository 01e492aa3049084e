//! A login in progress: its record and its directory.

use std::path::Path;

use super::dir::LoginDir;
use crate::{
    blocking,
    config::Paths,
    credential::Record,
    login::{
        LoginError,
        record::{LoginLock, LoginRecord},
    },
    provider::Provider,
    vendor_files::{self, CaptureError, Captured},
};

/// A login that creates a directory and a container. Its record stays on the disk for the next sweep however the login
/// ends, even by being dropped, unless [`LoginGuard::clean_up`] succeeds.
#[derive(Debug)]
#[must_use]
pub(super) struct LoginGuard {
    dir: LoginDir,
    record: LoginRecord,
}

impl LoginGuard {
    /// Records the engine, and creates the login's directory and in it the directory `name` that the container sees.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub(super) async fn new(
        lock: LoginLock,
        paths: &Paths,
        engine: &str,
        name: &str,
    ) -> Result<Self, LoginError> {
        let (paths, engine, name) = (paths.clone(), engine.to_owned(), name.to_owned());
        blocking::run(move || {
            let dir = LoginDir::make(&paths, lock.login(), &name)?;
            Ok(Self { dir, record: lock.record_engine(&engine)? })
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

    /// Writes a credential into the files that the CLI reads.
    pub(super) async fn write(&self, provider: &Provider, record: &Record) -> Result<(), CaptureError> {
        let (files, provider, record) = (self.files().to_owned(), provider.clone(), record.clone());
        blocking::run(move || {
            let (map, state) = (&provider.capture, &provider.post_capture_state);
            vendor_files::write(&files, map, state, &record.credential, &record.metadata).map(drop)
        })
        .await
    }

    /// Reads the credential that the CLI left, and the names of its files.
    pub(super) async fn read(
        &self,
        provider: &Provider,
    ) -> (Result<Option<Captured>, CaptureError>, Vec<String>) {
        let (files, provider) = (self.files().to_owned(), provider.clone());
        blocking::run(move || {
            let captured = vendor_files::read(&files, &provider.capture);
            (captured, vendor_files::names(&files))
        })
        .await
    }

    /// Removes the directory, and the record if `container` says that no container is left.
    ///
    /// # Errors
    /// A description of what is left; the record stays.
    pub(super) async fn clean_up(self, container: Result<(), String>) -> Result<(), String> {
        blocking::run(move || {
            let directory = self.dir.remove();
            container.and(directory).map(|()| self.record.remove())
        })
        .await
    }
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
        let guard = LoginGuard::new(lock, &paths, "unix:///x.sock", "files").await.expect("made");
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
        guard.clean_up(Ok(())).await.expect("removed");
        assert_eq!(left(&paths), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn clean_up_with_a_container_left_keeps_the_record_only() {
        let (_directory, paths, guard) = guard().await;
        let (login, why) = (guard.login().to_owned(), "the engine does not answer".to_owned());
        assert_eq!(guard.clean_up(Err(why.clone())).await, Err(why));
        assert!(!dir::login_dir(&paths, &login).exists());
        assert_eq!(find_abandoned(&paths).expect("looked").len(), 1);
    }
}
