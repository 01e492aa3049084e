//! Files and directories that no other user can change, or look into.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::unwritable;
use crate::redact;

/// The kind of file that is trusted with secrets, with the access that others may have.
#[derive(Clone, Copy, PartialEq)]
pub enum Expected {
    /// A directory, ours or root's, that others may look into, but not write to. The files in it are closed to them.
    Directory,
    /// A directory that is closed to others.
    Closed,
    /// A file that is closed to others.
    File,
}

/// The reason why a path cannot be trusted with secrets, with the remedy. `None` if it can.
pub(crate) fn distrust_reason(path: &Path, found: &Metadata, expected: Expected) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    let (is_expected, name, closed, mode) = match expected {
        Expected::Directory => (found.is_dir(), "directory", 0o022, 700),
        Expected::Closed => (found.is_dir(), "directory", 0o077, 700),
        Expected::File => (found.is_file(), "regular file", 0o077, 600),
    };
    if found.is_symlink() {
        Some(format!("it is a symbolic link: replace it with a real {name}, or name the link's target"))
    } else if !is_expected {
        Some(format!("it is not a {name}: move it away"))
    } else if found.uid() != us && !(expected == Expected::Directory && found.uid() == 0) {
        let owner = found.uid();
        Some(format!("it belongs to user {owner}, not to user {us}: run this command as its owner"))
    } else if expected == Expected::File && found.nlink() > 1 {
        Some("it has a second name (a hard link): remove one of the two".into())
    } else if found.mode() & closed != 0 {
        let directory = if found.is_dir() { path } else { path.parent().unwrap_or(Path::new("/")) };
        let chmod = format!("`chmod {mode} {}`", redact::shell_quote(path));
        let elsewhere = "choose another directory".to_owned();
        let (because, remedy) = if unwritable::is_read_only(path) {
            (", and its file system is read-only", elsewhere)
        } else if found.uid() != us {
            ("", format!("run {chmod} as user {}", found.uid()))
        } else if unwritable::keeps_modes(directory) == Some(false) {
            (", and its file system keeps no modes", elsewhere)
        } else {
            ("", format!("run {chmod}"))
        };
        let mode = found.mode() & 0o7777;
        Some(format!("other users have access to it (mode {mode:04o}){because}: {remedy}"))
    } else {
        None
    }
}

/// Creates a directory with mode 0700, with its parents, unless it exists; then checks it with [`check`].
///
/// # Errors
/// The errors of [`check`], and of creating the directory.
pub fn create_dir(path: &Path, expected: Expected) -> io::Result<()> {
    match fs::DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check(path, expected),
    }
}

/// Checks that a path can be trusted with secrets.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] with the reason and the remedy.
pub fn check(path: &Path, expected: Expected) -> io::Result<()> {
    match distrust_reason(path, &fs::symlink_metadata(path)?, expected) {
        Some(reason) => Err(io::Error::new(io::ErrorKind::PermissionDenied, reason)),
        None => Ok(()),
    }
}

/// Gives a finished file its name, unless that is taken. Where the file system cannot do this in one step, two processes
/// that do it at once are kept apart by the caller's lock alone.
///
/// No link is made: a file system may go on counting it for a time.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and the system's other errors.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => Err(Errno::EXIST.into()),
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(Errno::EXIST.into()),
        Err(_) => fs::rename(from, to),
        Ok(()) => Ok(()),
    }
}

/// Creates a directory with mode 0700 that must not exist yet.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and the system's other errors.
pub fn create_new_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}
