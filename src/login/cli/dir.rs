//! The directory that receives a login's files.

use std::path::{Path, PathBuf};

use crate::{
    config::Paths,
    fs::{private, remove_tree},
    login::LoginError,
};

/// A fresh directory (0700) for one login; removed with everything in it, at the latest when dropped.
#[derive(Debug)]
pub(super) struct LoginDir {
    outer: PathBuf,
    inner: PathBuf,
}

impl LoginDir {
    /// Creates the directory of the login and, in it, the directory `name` that the container sees.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub(super) fn make(paths: &Paths, login: &str, name: &str) -> Result<Self, LoginError> {
        let outer = login_dir(paths, login);
        let inner = outer.join(name);
        private::create_new_dir(&outer).map_err(LoginError::files(&outer))?;
        let dir = Self { outer, inner };
        private::create_new_dir(&dir.inner).map_err(LoginError::files(&dir.inner))?;
        Ok(dir)
    }

    /// Returns the directory that the container sees.
    pub(super) fn path(&self) -> &Path {
        &self.inner
    }

    /// Removes the directory with everything in it.
    ///
    /// # Errors
    /// The first thing that could not be removed; the rest is removed.
    pub(super) fn remove(self) -> Result<(), String> {
        remove_login_dir(&self.outer)
    }
}

impl Drop for LoginDir {
    fn drop(&mut self) {
        let _ = remove_tree::remove(&self.outer);
    }
}

/// Returns the path of a login's directory.
pub(super) fn login_dir(paths: &Paths, login: &str) -> PathBuf {
    paths.logins().join(login)
}

/// Removes a login's directory; one that does not exist is no error.
///
/// # Errors
/// The first thing that could not be removed; the rest is removed.
pub(super) fn remove_login_dir(path: &Path) -> Result<(), String> {
    remove_tree::remove(path).map_err(|error| format!("cannot remove {}: {error}", path.display()))
}
