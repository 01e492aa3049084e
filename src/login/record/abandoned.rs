//! Records of logins that may have left something behind.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::Holder;
use crate::{
    config::Paths,
    fs::{
        lock::{FileLock, TryLock},
        private::{self, Expected},
        stale,
    },
    login::LoginError,
};

/// The age below which a file may still be in the making.
const MIN_AGE: Duration = Duration::from_secs(60);

/// The record of a login that may have left something, locked. When it is dropped, the record stays on the disk: the
/// next sweep finds it, even while this process lives on.
#[derive(Debug)]
pub struct LoginRecord {
    pub(super) lock: FileLock,
    /// The record's file.
    pub path: PathBuf,
    /// The content of the record.
    pub holder: Holder,
}

impl LoginRecord {
    /// Renames the record to the login's identity, so that the lock of its address is free for the next login.
    pub(super) fn release_address(&mut self) -> io::Result<()> {
        let own = self.path.with_file_name(format!("{}.lock", self.holder.login));
        fs::rename(&self.path, &own)?;
        self.path = own;
        Ok(())
    }

    /// Removes the record. Call this when nothing of the login is left.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.lock);
    }
}

/// Finds the records of logins that were killed, and frees the locks of their addresses. Costs one look at a directory
/// that is normally empty.
///
/// # Errors
/// [`LoginError::Files`] for a directory that other users can write to: nothing in it is trusted.
pub fn find_abandoned(paths: &Paths) -> Result<Vec<LoginRecord>, LoginError> {
    let logins = paths.logins();
    private::check(paths.data(), Expected::Directory).map_err(LoginError::files(paths.data()))?;
    private::check(&logins, Expected::Closed).map_err(LoginError::files(&logins))?;
    let entries = fs::read_dir(&logins).map_err(LoginError::files(&logins))?;
    // All are renamed before any is cleaned up: an engine may take long, and no login must wait for it.
    Ok(entries.flatten().filter_map(|entry| abandoned(entry.path())).collect())
}

/// Opens a record whose lock is free. Removes a file that belongs to no login.
fn abandoned(path: PathBuf) -> Option<LoginRecord> {
    let is_record = path.extension().is_some_and(|extension| extension == "lock");
    // A login that has just started may not hold its lock yet.
    if !is_record || (is_empty(&path) && !stale::is_stale(&path, MIN_AGE)) {
        return None;
    }
    let TryLock::Free(mut lock) = FileLock::try_lock(&path, false).ok()? else { return None };
    match Holder::read(&mut lock) {
        Some(holder) => {
            let mut record = LoginRecord { lock, path, holder };
            // Otherwise it is cleaned up under the address.
            let _ = record.release_address();
            Some(record)
        }
        None => {
            // The login was killed before it created anything.
            let _ = fs::remove_file(&path);
            None
        }
    }
}

fn is_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.len() == 0)
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};

    use super::*;
    use crate::{
        credential::{Address, Name},
        login::record::LoginLock,
    };

    fn place() -> (tempfile::TempDir, Paths, Address) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        (directory, paths, Address::default_profile("codex".parse::<Name>().expect("name")))
    }

    #[test]
    fn find_abandoned_returns_a_record_until_it_is_removed() {
        let (_directory, paths, address) = place();
        let lock = LoginLock::take(&paths, &address).expect("free");
        let login = lock.login().to_owned();
        drop(lock.record_engine("unix:///x.sock").expect("write"));
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1);
        assert!(find_abandoned(&paths).expect("looked").is_empty(), "while one sweeps, another does not");
        drop(found);
        for abandoned in find_abandoned(&paths).expect("looked") {
            assert_eq!(abandoned.holder.login, login);
            assert_eq!(abandoned.holder.engine.as_deref(), Some("unix:///x.sock"));
            abandoned.remove();
        }
        assert!(find_abandoned(&paths).expect("looked").is_empty());
        assert_eq!(fs::read_dir(paths.logins()).expect("logins").count(), 0);
    }

    /// Its login may live where the record was written, with its container.
    #[test]
    fn find_abandoned_returns_no_engine_for_a_copied_record() {
        let (_directory, paths, address) = place();
        let (_other, copy, _) = place();
        let living = LoginLock::take(&paths, &address).expect("free").record_engine("unix:///x.sock");
        let living = living.expect("write");
        private::create_dir(&copy.logins(), Expected::Closed).expect("create");
        let copied = copy.logins().join(living.path.file_name().expect("a name"));
        fs::copy(&living.path, &copied).expect("copied");
        let found = find_abandoned(&copy).expect("looked");
        let found: Vec<_> =
            found.iter().map(|record| (&record.holder.login, &record.holder.engine)).collect();
        assert_eq!(found, [(&living.holder.login, &None)]);
    }

    /// Their engines may take long to answer, one after the other.
    #[test]
    fn find_abandoned_frees_the_locks_of_all_addresses() {
        let (_directory, paths, address) = place();
        let other = Address { profile: "work".parse().expect("name"), ..address.clone() };
        for address in [&address, &other] {
            let lock = LoginLock::take(&paths, address).expect("free");
            drop(lock.record_engine("unix:///x.sock").expect("write"));
        }
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 2);
        for address in [&address, &other] {
            assert!(LoginLock::take(&paths, address).is_ok(), "{address}");
        }
    }

    #[test]
    fn find_abandoned_ignores_a_lock_file_with_other_content() {
        let (_directory, paths, _) = place();
        private::create_dir(&paths.logins(), Expected::Closed).expect("create");
        for text in
            ["", "{", r#"{"pid":1,"since":"2026-01-01T00:00:00Z","login":"../../../etcx","engine":null}"#]
        {
            let path = paths.logins().join("a~b~c.lock");
            let mut options = fs::File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&path).expect("opened");
            file.write_all(text.as_bytes()).expect("write");
            assert!(find_abandoned(&paths).expect("looked").is_empty(), "{text}");
            assert_eq!(path.exists(), text.is_empty(), "a login that has just started is left alone: {text}");
        }
    }
}
