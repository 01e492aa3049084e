//! A login that something is made for: its directory, and then its container.

use std::path::Path;

use super::dir::LoginDir;
use crate::{
    config::Paths,
    login::{
        LoginError,
        record::{LoginLock, LoginRecord},
    },
};

/// A login that something is made for. However it ends, also by being dropped, the record of what it may have left stays
/// for the sweep, but for one end: [`BeginOutcome::clean_up`].
#[derive(Debug)]
#[must_use]
pub struct LoginGuard {
    dir: LoginDir,
    traces: LoginRecord,
}

impl LoginGuard {
    /// Records the engine, and makes the directory of the login, and in it the one that the container sees.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub fn new(lock: LoginLock, paths: &Paths, engine: &str, name: &str) -> Result<Self, LoginError> {
        let dir = LoginDir::make(paths, lock.login(), name)?;
        Ok(Self { dir, traces: lock.record_engine(engine)? })
    }

    /// The login's identity.
    pub fn login(&self) -> &str {
        &self.traces.holder.login
    }

    /// What the container sees.
    pub fn files(&self) -> &Path {
        self.dir.path()
    }

    /// Removes the directory and, unless there may still be something, the record. `container` is what came of removing
    /// the container; it is fine if none was asked for.
    ///
    /// # Errors
    /// What is left, in words: a later run tries again.
    pub fn clean_up(self, container: Result<(), String>) -> Result<(), String> {
        let directory = self.dir.remove();
        container.and(directory).map(|()| self.traces.remove())
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

    fn begun() -> (tempfile::TempDir, Paths, LoginGuard) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        let address = Address::default_profile("codex".parse().expect("name"));
        let lock = LoginLock::take(&paths, &address).expect("free");
        let begun = LoginGuard::new(lock, &paths, "unix:///x.sock", "files").expect("begun");
        std::fs::write(begun.files().join("auth.json"), "secret").expect("written");
        (directory, paths, begun)
    }

    fn left(paths: &Paths) -> Vec<PathBuf> {
        std::fs::read_dir(paths.logins()).expect("read").flatten().map(|entry| entry.path()).collect()
    }

    /// As in a program that waits for it no longer: the process lives on, and so may the container.
    #[tokio::test]
    async fn one_that_is_dropped_in_the_middle_is_found_by_the_next_sweep() {
        let (_directory, paths, begun) = begun();
        let login = begun.login().to_owned();
        {
            let running = pin!(async move {
                let _begun = begun;
                pending::<()>().await;
            });
            assert!(futures_util::poll!(running).is_pending());
            assert!(find_abandoned(&paths).expect("looked").is_empty(), "it runs");
        }
        assert!(!dir::login_dir(&paths, &login).exists(), "the secrets go at once");
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].holder.engine.as_deref(), Some("unix:///x.sock"));
    }

    #[test]
    fn one_of_which_nothing_is_left_is_forgotten() {
        let (_directory, paths, begun) = begun();
        begun.clean_up(Ok(())).expect("removed");
        assert_eq!(left(&paths), Vec::<PathBuf>::new());
    }

    #[test]
    fn one_whose_container_is_left_is_remembered_without_its_files() {
        let (_directory, paths, begun) = begun();
        let (login, why) = (begun.login().to_owned(), "the engine does not answer".to_owned());
        assert_eq!(begun.clean_up(Err(why.clone())), Err(why));
        assert!(!dir::login_dir(&paths, &login).exists());
        assert_eq!(find_abandoned(&paths).expect("looked").len(), 1);
    }
}
