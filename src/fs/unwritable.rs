//! The reason why nothing can be written to a file or directory, which the system's errors often hide.

use std::{
    fs::{self, Metadata, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::{
    fs::{Access, StatVfsMountFlags, access, statvfs},
    process::geteuid,
};
use tempfile::TempDir;

use crate::redact;

/// The reason why nothing can be written to a path, and a remedy.
#[derive(Debug)]
pub struct Unwritable {
    /// The reason: a sentence without its end.
    pub why: String,
    /// The remedy.
    pub remedy: String,
}

/// Returns the reason why nothing can be written to a path, as far as the system tells.
pub fn reason(path: &Path) -> Option<Unwritable> {
    let (found, disk) = (fs::metadata(path).ok()?, statvfs(path).ok()?);
    let because = |why: &str, remedy: &str| Some(Unwritable { why: why.into(), remedy: remedy.into() });
    if is_read_only(path) {
        return because("its file system is read-only", "mount it for writing, or choose another directory");
    }
    if disk.f_bavail == 0 {
        return because("its disk is full", "free some space");
    }
    // Some file systems count no inodes and report none as free.
    if disk.f_favail == 0
        && found.is_dir()
        && new_directory(path).is_err_and(|e| e.kind() == ErrorKind::StorageFull)
    {
        let why = "its disk is out of inodes: it has room, but for no other file";
        return because(why, "remove some files");
    }
    if access(path, Access::WRITE_OK).is_ok() {
        return None;
    }
    let (mode, owner) = (found.mode() & 0o7777, found.uid());
    let why = format!("no permission to write to {} (mode {mode:04o})", path.display());
    let needed = if found.is_dir() { 0o700 } else { 0o600 };
    match owner == geteuid().as_raw() {
        true if mode & needed != needed => {
            because(&why, &format!("run `chmod {needed:o} {}`", redact::shell_quote(path)))
        }
        true => {
            because(&why, "its mode allows it: look at its attributes (lsattr) and access list (getfacl)")
        }
        false => because(&format!("{why}, which belongs to user {owner}"), "run this command as its owner"),
    }
}

/// Whether the file system of a path is mounted for reading only.
pub(crate) fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Whether the file system of a directory keeps modes, as found by making one; `None` if none can be made.
pub(crate) fn keeps_modes(directory: &Path) -> Option<bool> {
    Some(is_closed(&fs::metadata(new_directory(directory).ok()?.path()).ok()?))
}

/// A new directory, which is removed when it is dropped. Not every file system removes a file as soon as it is closed.
fn new_directory(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(".credentials-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

/// Whether others have no access.
pub(crate) fn is_closed(found: &Metadata) -> bool {
    found.mode() & 0o077 == 0
}
