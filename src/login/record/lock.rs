//! The lock that allows one login at a time for one credential.

use std::{io, path::Path};

use tempfile::TempPath;

use super::{Holder, LoginRecord};
use crate::{
    blocking,
    config::Paths,
    credential::Address,
    fs::{
        lock::{FileLock, TryLock},
        private::{self, Expected},
    },
    login::LoginError,
};

/// The lock of a login that has created nothing yet. Released, and its file removed, when dropped.
#[derive(Debug)]
pub struct LoginLock {
    /// Declared first, so that the file is removed before the lock is released.
    path: TempPath,
    file: FileLock,
    holder: Holder,
}

impl LoginLock {
    /// Takes the lock of `address` for this process.
    ///
    /// # Errors
    /// [`LoginError::Busy`] when a living process holds it, [`LoginError::Files`]
    pub fn take(paths: &Paths, address: &Address) -> Result<Self, LoginError> {
        let path = paths.logins().join(address.lock_file_name());
        let failed = |source| files_error(&path, source);
        private::create_dir(paths.data(), Expected::Directory)
            .map_err(|source| files_error(paths.data(), source))?;
        private::create_dir(&paths.logins(), Expected::Closed)
            .map_err(|source| files_error(&paths.logins(), source))?;
        let mut file = match FileLock::try_lock(&path, true).map_err(failed)? {
            TryLock::Free(file) => file,
            TryLock::Held(mut file) => return Err(busy(address, Holder::read(&mut file))),
            TryLock::Missing => return Err(busy(address, None)),
        };
        if let Some(abandoned) = Holder::read(&mut file) {
            keep_record(paths, &abandoned).map_err(failed)?;
        }
        let holder = Holder::new();
        let path = TempPath::try_from_path(&path).map_err(failed)?;
        holder.write(&mut file).map_err(|source| files_error(&path, source))?;
        Ok(Self { path, file, holder })
    }

    /// Takes the lock as [`LoginLock::take`], on a thread where blocking is allowed.
    ///
    /// # Errors
    /// As [`LoginLock::take`].
    pub async fn acquire(paths: &Paths, address: &Address) -> Result<Self, LoginError> {
        let (paths, address) = (paths.clone(), address.clone());
        blocking::run(move || Self::take(&paths, &address)).await
    }

    /// Records the engine, before the login creates anything in it. From now on the record stays on the disk, even if
    /// this process is killed.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub fn record_engine(mut self, url: &str) -> Result<LoginRecord, LoginError> {
        self.holder.engine = Some(url.to_owned());
        self.holder.write(&mut self.file).map_err(|source| files_error(&self.path, source))?;
        let path = self.path.keep().map_err(|kept| files_error(&kept.path, kept.error))?;
        Ok(LoginRecord::new(self.file, path, self.holder))
    }

    /// Returns the login's identity.
    pub fn login(&self) -> &str {
        &self.holder.login
    }
}

/// Keeps the record of an abandoned login whose lock file is needed again, under the identity of that login.
fn keep_record(paths: &Paths, abandoned: &Holder) -> io::Result<()> {
    let path = paths.logins().join(format!("{}.lock", abandoned.login));
    // Moved into place when it is complete: a sweep removes an empty record without cleaning up.
    let mut unfinished = tempfile::Builder::new().suffix(".new").tempfile_in(paths.logins())?;
    abandoned.write(unfinished.as_file_mut())?;
    unfinished.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn busy(address: &Address, holder: Option<Holder>) -> LoginError {
    LoginError::Busy { address: Box::new(address.clone()), holder: holder.map(Box::new) }
}

fn files_error(path: &Path, source: io::Error) -> LoginError {
    LoginError::Files { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{credential::Name, login::record::find_abandoned};

    fn place() -> (tempfile::TempDir, Paths, Address) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        (directory, paths, Address::default_profile("codex".parse::<Name>().expect("name")))
    }

    #[test]
    fn lock_that_is_held_names_its_holder_until_it_is_dropped() {
        let (_directory, paths, address) = place();
        let first = LoginLock::take(&paths, &address).expect("free");
        let Err(error @ LoginError::Busy { .. }) = LoginLock::take(&paths, &address) else {
            panic!("not busy");
        };
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(find_abandoned(&paths).expect("looked").is_empty(), "a living login is not swept");
        let other = Address { profile: "work".parse().expect("name"), ..address.clone() };
        assert!(LoginLock::take(&paths, &other).is_ok(), "another profile is free");
        drop(first);
        assert!(LoginLock::take(&paths, &address).is_ok(), "free again");
        assert_eq!(fs::read_dir(paths.logins()).expect("logins").count(), 0, "nothing stays");
    }

    #[test]
    fn lock_that_is_held_by_an_unnamed_holder_is_busy() {
        let (_directory, paths, address) = place();
        let first = LoginLock::take(&paths, &address).expect("free");
        first.file.set_len(0).expect("emptied");
        let error = LoginLock::take(&paths, &address).expect_err("busy");
        assert_eq!(error.to_string(), "a login for codex is running");
    }

    #[test]
    fn lock_of_an_abandoned_login_keeps_its_record() {
        let (_directory, paths, address) = place();
        let lock = LoginLock::take(&paths, &address).expect("free");
        let login = lock.login().to_owned();
        drop(lock.record_engine("unix:///x.sock").expect("write"));
        drop(LoginLock::take(&paths, &address).expect("free"));
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].holder.login, login);
        assert_eq!(found[0].holder.engine.as_deref(), Some("unix:///x.sock"));
    }
}
