//! The directory that a login's files land in.

use std::path::{Path, PathBuf};

use crate::{
    config::Paths,
    fs::{private, remove_tree},
    login::LoginError,
};

/// A fresh directory, 0700, for one login; removed with everything in it, when it is dropped at the latest.
#[derive(Debug)]
pub struct LoginDir {
    outer: PathBuf,
    inner: PathBuf,
}

impl LoginDir {
    /// Makes the directory of the login, and in it the one that the container sees.
    pub fn make(paths: &Paths, login: &str, name: &str) -> Result<Self, LoginError> {
        let outer = login_dir(paths, login);
        let inner = outer.join(name);
        let failed = |source| LoginError::Files { path: outer.clone(), source };
        private::create_new_dir(&outer).map_err(failed)?;
        let dir = Self { outer, inner };
        private::create_new_dir(&dir.inner)
            .map_err(|source| LoginError::Files { path: dir.inner.clone(), source })?;
        Ok(dir)
    }

    /// What the container sees.
    pub fn path(&self) -> &Path {
        &self.inner
    }

    /// Removes it, with everything in it.
    ///
    /// # Errors
    /// Of what could not be removed, once all the rest is.
    pub fn remove(self) -> Result<(), String> {
        remove_tree::remove(&self.outer).map_err(|error| format!("{}: {error}", self.outer.display()))
    }
}

impl Drop for LoginDir {
    fn drop(&mut self) {
        let _ = remove_tree::remove(&self.outer);
    }
}

/// The directory of a login, by its identity.
pub fn login_dir(paths: &Paths, login: &str) -> PathBuf {
    paths.logins().join(login)
}
