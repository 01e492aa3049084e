//! Advisory locks on files and directories.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    ops::{Deref, DerefMut},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

/// Limit of the attempts to lock a file that others keep replacing.
const MAX_ATTEMPTS: usize = 100;
/// Interval at which a held lock is tried again.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A held advisory lock, with the open file.
///
/// The kernel releases it when the value is dropped or the process dies.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// The outcome of [`FileLock::try_lock`].
#[derive(Debug)]
pub(crate) enum TryLock {
    /// The lock is ours.
    Free(FileLock),
    /// Another open file holds the lock. The file may be read: the holder can have written into it.
    Held(File),
    /// The file does not exist and was not to be created.
    Missing,
}

impl FileLock {
    /// Opens a lock file, creating it with mode 0600 if `create` is set, and tries to lock it.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] for a file that others could have written; otherwise the system's errors.
    pub(crate) fn try_lock(path: &Path, create: bool) -> io::Result<TryLock> {
        for _ in 0..MAX_ATTEMPTS {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(create).mode(0o600);
            options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
            let file = match options.open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TryLock::Missing),
                opened => opened?,
            };
            check_private(&file.metadata()?)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(TryLock::Held(file)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // A previous holder may have removed the file between opening and locking.
            let locked = file.metadata()?;
            let current = fs::symlink_metadata(path);
            if current.is_ok_and(|current| (current.ino(), current.dev()) == (locked.ino(), locked.dev())) {
                return Ok(TryLock::Free(Self(file)));
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "the lock file is replaced again and again"))
    }

    /// Locks a directory itself, waiting for at most `patience`. `None` if the lock is still held then.
    ///
    /// # Errors
    /// The system's errors, for example if the directory does not exist.
    pub(crate) fn lock_directory(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let directory = File::open(path)?;
        let deadline = Instant::now() + patience;
        loop {
            match directory.try_lock() {
                Ok(()) => return Ok(Some(Self(directory))),
                Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(error);
                }
                Err(_) if Instant::now() >= deadline => return Ok(None),
                Err(_) => thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

impl Deref for FileLock {
    type Target = File;
    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for FileLock {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

/// Refuses a file that another user could have written.
fn check_private(found: &Metadata) -> io::Result<()> {
    let is_ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_file() && is_ours && found.mode() & 0o077 == 0 && found.nlink() <= 1 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "other users have access to the lock file, or it is not a regular file: remove it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn try_lock_is_held_until_the_guard_is_dropped() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("a.lock");
        assert!(matches!(FileLock::try_lock(&path, false), Ok(TryLock::Missing)));
        let lock = FileLock::try_lock(&path, true).expect("created");
        assert!(matches!(FileLock::try_lock(&path, true), Ok(TryLock::Held(_))));
        drop(lock);
        assert!(matches!(FileLock::try_lock(&path, false), Ok(TryLock::Free(_))));
    }

    #[test]
    fn try_lock_refuses_a_file_that_others_can_read() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("a.lock");
        File::options().write(true).create_new(true).mode(0o644).open(&path).expect("created");
        let error = FileLock::try_lock(&path, true).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn lock_directory_gives_up_after_its_patience() {
        let directory = tempfile::tempdir().expect("directory");
        let lock = FileLock::lock_directory(directory.path(), Duration::ZERO).expect("opened");
        assert!(lock.is_some());
        assert!(FileLock::lock_directory(directory.path(), Duration::ZERO).expect("opened").is_none());
        drop(lock);
        assert!(FileLock::lock_directory(directory.path(), Duration::ZERO).expect("opened").is_some());
    }
}
