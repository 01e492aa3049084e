//! One login at a time for one credential, and the traces of those that died.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::LoginError;
use crate::{
    config::Paths,
    credential::Address,
    fs::{
        lock::{FileLock, TryLock},
        private,
        stale::is_stale,
    },
};

/// Who holds a login, and what is to be cleaned up after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
    /// The login's identity: the name of its directory, and the label of its container.
    pub login: String,
    /// The engine that its container is in, once it has one.
    pub engine: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}, since {}", self.pid, self.since.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

/// The right to log in to one credential, before anything is made for it. Released, and forgotten, when dropped.
#[derive(Debug)]
pub struct LoginLock {
    /// Removed when dropped, which is before the lock is released.
    path: TempPath,
    file: FileLock,
    holder: Holder,
}

/// The record of a login that may have left something, and its lock. When it is dropped, the record stays: whoever
/// sweeps next finds it, whether or not the process lives on.
#[derive(Debug)]
pub struct LoginRecord {
    lock: FileLock,
    /// Where it is.
    pub path: PathBuf,
    /// What the login wrote of itself.
    pub holder: Holder,
}

impl LoginRecord {
    /// Leaves its credential to others: it is kept under its own identity.
    fn release_address(mut self) -> Self {
        let own = self.path.with_file_name(format!("{}.lock", self.holder.login));
        if fs::rename(&self.path, &own).is_ok() {
            self.path = own;
        }
        self
    }

    /// Everything that it left is gone.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.lock);
    }
}

impl LoginLock {
    /// Takes the lock of `address` for this process.
    ///
    /// # Errors
    /// [`LoginError::Busy`] when a living process holds it.
    pub fn take(paths: &Paths, address: &Address) -> Result<Self, LoginError> {
        let path = paths.logins().join(address.lock_file_name());
        let failed = |source| LoginError::Files { path: path.clone(), source };
        private::create_data_dir(paths.data()).map_err(|source| files_error(paths.data(), source))?;
        private::create_dir(&paths.logins()).map_err(|source| files_error(&paths.logins(), source))?;
        let mut file = match FileLock::try_lock(&path, true).map_err(failed)? {
            TryLock::Free(file) => file,
            TryLock::Held(mut file) => return Err(busy(address, read(&mut file))),
            TryLock::Missing => return Err(busy(address, None)),
        };
        if let Some(dead) = read(&mut file) {
            keep_record(paths, &dead).map_err(failed)?;
        }
        let holder =
            Holder { pid: std::process::id(), since: Timestamp::now(), login: new_login(), engine: None };
        let mut lock = Self { path: TempPath::try_from_path(&path).map_err(failed)?, file, holder };
        lock.write().map_err(failed)?;
        Ok(lock)
    }

    /// Records the engine, before anything is made in it. From now on the record outlives whoever holds it.
    ///
    /// # Errors
    /// [`LoginError::Files`]
    pub fn record_engine(mut self, url: &str) -> Result<LoginRecord, LoginError> {
        self.holder.engine = Some(url.to_owned());
        self.write().map_err(|source| files_error(&self.path, source))?;
        let Self { path, file, holder } = self;
        let path = path.keep().map_err(|kept| files_error(&kept.path, kept.error))?;
        Ok(LoginRecord { lock: file, path, holder })
    }

    /// The login's identity.
    pub fn login(&self) -> &str {
        &self.holder.login
    }

    fn write(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.holder).map_err(io::Error::other)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        // Not synced: it is for the run after one that was killed, and a crash of the machine ends containers, too.
        self.file.set_len(text.len() as u64)
    }
}

/// The dead logins of a data directory, of which none is in the way of a new one any more. Costs one look at a directory
/// that is normally empty.
///
/// # Errors
/// [`LoginError::Files`] for a directory that others could have written to: nothing in it is believed.
pub fn find_abandoned(paths: &Paths) -> Result<Vec<LoginRecord>, LoginError> {
    let logins = paths.logins();
    private::check_data_dir(paths.data()).map_err(|source| files_error(paths.data(), source))?;
    private::check_dir(&logins).map_err(|source| files_error(&logins, source))?;
    let entries = fs::read_dir(&logins).map_err(|source| files_error(&logins, source))?;
    let found = entries.flatten().map(|entry| entry.path());
    let is = |path: &Path, extension| path.extension().is_some_and(|e| e == extension);
    Ok(found
        .filter_map(|path| {
            if is(&path, "new") && is_stale(&path, MIN_AGE) {
                let _ = fs::remove_file(&path);
            }
            // A login that has just begun may not hold its lock yet.
            if !is(&path, "lock") || (is_empty(&path) && !is_stale(&path, MIN_AGE)) {
                return None;
            }
            let TryLock::Free(mut lock) = FileLock::try_lock(&path, false).ok()? else { return None };
            match read(&mut lock) {
                Some(holder) => Some(LoginRecord { lock, path, holder }.release_address()),
                None => {
                    // It died before it made anything.
                    let _ = fs::remove_file(&path);
                    None
                }
            }
        })
        .collect())
}

fn is_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.len() == 0)
}

/// Keeps the record of a dead login that could not be swept yet, when its lock is needed again.
fn keep_record(paths: &Paths, dead: &Holder) -> io::Result<()> {
    let path = paths.logins().join(format!("{}.lock", dead.login));
    // Whole from the first moment: a sweep takes an empty record for that of a login that had made nothing.
    let mut unfinished = tempfile::Builder::new().suffix(".new").tempfile_in(paths.logins())?;
    unfinished.write_all(&serde_json::to_vec(dead).map_err(io::Error::other)?)?;
    unfinished.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    let holder: Holder = serde_json::from_str(&text).ok()?;
    // It becomes a path and a label below.
    (holder.login.len() == LOGIN_LENGTH && holder.login.bytes().all(|b| b.is_ascii_alphanumeric()))
        .then_some(holder)
}

/// Who holds it may not have said so yet.
fn busy(address: &Address, holder: Option<Holder>) -> LoginError {
    LoginError::Busy { address: Box::new(address.clone()), holder: holder.map(Box::new) }
}

fn files_error(path: &Path, source: io::Error) -> LoginError {
    LoginError::Files { path: path.to_owned(), source }
}

const LOGIN_LENGTH: usize = 16;
/// What is younger than this may be in the making.
const MIN_AGE: Duration = Duration::from_secs(60);

/// An identity that no other login has, on this machine or on another that shares an engine.
fn new_login() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // RandomState is seeded from the system's randomness; uniqueness is all that is needed of it.
    format!("{:016x}", RandomState::new().hash_one((std::process::id(), Timestamp::now().as_nanosecond())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;
    use crate::credential::Name;

    fn place() -> (tempfile::TempDir, Paths, Address) {
        let directory = tempfile::tempdir().expect("directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        (directory, paths, Address::default_profile("codex".parse::<Name>().expect("name")))
    }

    #[test]
    fn the_second_is_told_who_the_first_is() {
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
    fn who_has_not_said_who_it_is_has_no_name() {
        let (_directory, paths, address) = place();
        let first = LoginLock::take(&paths, &address).expect("free");
        first.file.set_len(0).expect("emptied");
        let error = LoginLock::take(&paths, &address).expect_err("busy");
        assert_eq!(error.to_string(), "a login for codex is running");
    }

    #[test]
    fn a_dead_login_is_found_once_with_what_it_left() {
        let (_directory, paths, address) = place();
        let lock = LoginLock::take(&paths, &address).expect("free");
        let login = lock.login().to_owned();
        drop(lock.record_engine("unix:///x.sock").expect("write"));
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1);
        assert!(find_abandoned(&paths).expect("looked").is_empty(), "while one sweeps, another does not");
        drop(found);
        drop(LoginLock::take(&paths, &address).expect("free"));
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 1, "the next login does not forget it");
        for dead in found {
            assert_eq!(
                (dead.holder.login.as_str(), dead.holder.engine.as_deref()),
                (&*login, Some("unix:///x.sock"))
            );
            dead.remove();
        }
        assert!(find_abandoned(&paths).expect("looked").is_empty());
    }

    /// Their engines may take long to answer, one after the other.
    #[test]
    fn while_dead_logins_are_cleaned_up_none_of_them_is_in_the_way() {
        let (_directory, paths, address) = place();
        let other = Address { profile: "work".parse().expect("name"), ..address.clone() };
        for address in [&address, &other] {
            let lock = LoginLock::take(&paths, address).expect("free");
            drop(lock.record_engine("unix:///silent.sock").expect("write"));
        }
        let found = find_abandoned(&paths).expect("looked");
        assert_eq!(found.len(), 2);
        for address in [&address, &other] {
            assert!(LoginLock::take(&paths, address).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_lock_file_with_anything_else_in_it_is_not_believed() {
        let (_directory, paths, _) = place();
        private::create_dir(&paths.logins()).expect("create");
        for text in
            ["", "{", r#"{"pid":1,"since":"2026-01-01T00:00:00Z","login":"../../../etcx","engine":null}"#]
        {
            let path = paths.logins().join("a~b~c.lock");
            let mut options = File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&path).expect("opened");
            file.write_all(text.as_bytes()).expect("write");
            assert!(find_abandoned(&paths).expect("looked").is_empty(), "{text}");
            assert_eq!(path.exists(), text.is_empty(), "one that has just begun is left alone: {text}");
        }
    }
}
