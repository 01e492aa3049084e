//! A file that one process at a time holds, for as long as it lives. The kernel lets go of it, so a dead holder is in
//! nobody's way, and its number may be given to another process.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use crate::credential::Address;

/// What came of trying to hold a file.
#[derive(Debug)]
pub(crate) enum TryLock {
    /// It is ours until the descriptor is closed.
    Free(File),
    /// A living process holds it. For reading what that one wrote.
    Held(File),
    /// There is none, and none was to be made.
    Missing,
}

/// Opens a file and tries to hold it. One that was removed between the two is tried again.
pub(crate) fn try_lock(path: &Path, create: bool) -> io::Result<TryLock> {
    for _ in 0..100 {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).mode(0o600);
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TryLock::Missing),
            opened => opened?,
        };
        check(&file.metadata()?)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(TryLock::Held(file)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let ours = file.metadata()?;
        let there = fs::symlink_metadata(path);
        if there.is_ok_and(|there| (there.ino(), there.dev()) == (ours.ino(), ours.dev())) {
            return Ok(TryLock::Free(file));
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "it was replaced again and again"))
}

/// Refuses what somebody else may have written.
fn check(found: &Metadata) -> io::Result<()> {
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_file() && ours && found.mode() & 0o077 == 0 && found.nlink() <= 1 {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a file of yours alone: remove it"))
}

/// A name of a lock for an address. `~` is in no name, so no two addresses share a file.
pub(crate) fn lock_file_name(address: &Address) -> String {
    format!("{}~{}~{}.lock", address.set, address.provider, address.profile)
}
