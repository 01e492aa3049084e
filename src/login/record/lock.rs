//! The lock that allows one login at a time for one credential.

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
        let logins = paths.logins();
        private::create_dir(paths.data(), Expected::Directory).map_err(LoginError::files(paths.data()))?;
        private::create_dir(&logins, Expected::Closed).map_err(LoginError::files(&logins))?;
        let path = logins.join(address.lock_file_name());
        let busy = |holder| LoginError::Busy { address: Box::new(address.clone()), holder };
        let mut file = loop {
            match FileLock::try_lock(&path, true).map_err(LoginError::files(&path))? {
                TryLock::Free(mut lock) => match Holder::read(&mut lock) {
                    // The record of an abandoned login is kept for the next sweep.
                    Some(holder) => LoginRecord { lock, path: path.clone(), holder }
                        .release_address()
                        .map_err(LoginError::files(&path))?,
                    None => break lock,
                },
                TryLock::Held(mut file) => return Err(busy(Holder::read(&mut file).map(Box::new))),
                TryLock::Missing => return Err(busy(None)),
            }
        };
        let mut holder = Holder::new();
        let path = TempPath::try_from_path(&path).map_err(LoginError::files(&path))?;
        holder.write(&mut file).map_err(LoginError::files(&path))?;
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
        self.holder.write(&mut self.file).map_err(LoginError::files(&self.path))?;
        let path = self.path.keep().map_err(|kept| LoginError::files(&kept.path)(kept.error))?;
        Ok(LoginRecord { lock: self.file, path, holder: self.holder })
    }

    /// Returns the login's identity.
    pub fn login(&self) -> &str {
        &self.holder.login
    }
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
