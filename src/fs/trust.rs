//! Directories and files that are ours alone.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use rustix::fs::OFlags;

use crate::redact;

/// Removes files of ours that are older than that and whose names begin so: what a process that was killed left. One that
/// cannot be removed is in nobody's way.
pub fn remove_stale_files(directory: &Path, prefix: &str, age: Duration) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let us = rustix::process::geteuid().as_raw();
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        let is_old = entry.metadata().is_ok_and(|found| {
            let has = found.modified().ok().and_then(|at| at.elapsed().ok());
            found.is_file() && found.uid() == us && has.is_some_and(|has| has >= age)
        });
        if is_old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Opens a regular file for reading; links are followed. A FIFO without a writer holds up nobody.
///
/// # Errors
/// What the system says, and anything else than a regular file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let without_waiting = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = File::options().read(true).custom_flags(without_waiting).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Reads a whole regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open_plain`], and a file that is larger.
pub fn read_plain(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_all(open_plain(path)?, limit)
}

/// The same for a file of our configuration. What it says is done, so it is refused if somebody else could have
/// written it.
///
/// # Errors
/// As [`read_plain`], and a file that is neither ours nor root's, or that everybody may write to.
pub fn read_own(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(path)?;
    let found = file.metadata()?;
    let (owner, us) = (found.uid(), rustix::process::geteuid().as_raw());
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if owner != us && owner != 0 {
        return refuse(format!(
            "it belongs to user {owner}, and this is user {us}: if it is right, run `chown {us} {}`",
            redact::shell_quote(path)
        ));
    }
    // A group may: with umask 002 it is the owner's own.
    if found.mode() & 0o002 != 0 {
        return refuse(format!(
            "everybody can write to it: if it is right, run `chmod o-w {}`",
            redact::shell_quote(path)
        ));
    }
    read_all(file, limit)
}

fn read_all(file: File, limit: u64) -> io::Result<Vec<u8>> {
    // Of one size from the start: what it grows out of is not wiped.
    let size = file.metadata()?.len().min(limit).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // Not what `stat` says of its size: some files are longer, and some grow.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Tells what need not exist from what cannot be reached: a link on the way to it leads to what is not there, perhaps a
/// disk that is not mounted.
///
/// # Errors
/// That, for a path of which the system says that it does not exist.
pub fn is_absent(path: &Path) -> io::Result<()> {
    for part in path.ancestors() {
        match fs::symlink_metadata(part) {
            Ok(found) if found.is_symlink() && fs::metadata(part).is_err() => {
                let why = format!("{} is a link to what is not there", redact::redact_path(part));
                return Err(io::Error::new(io::ErrorKind::NotFound, why));
            }
            Ok(_) => break,
            Err(_) => {}
        }
    }
    Ok(())
}

/// What a path that is trusted with secrets must be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Expected {
    /// A directory. Others may look into it, for what lies in it is closed to them; only not write.
    Directory,
    /// A directory that is closed to others.
    Closed,
    /// A file that is closed to others.
    File,
}

/// Why it cannot be trusted with secrets, and what to do.
pub(crate) fn distrust_reason(path: &Path, found: &Metadata, expected: Expected) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    let (is_expected, name, closed, mode) = match expected {
        Expected::Directory => (found.is_dir(), "directory", 0o022, 700),
        Expected::Closed => (found.is_dir(), "directory", 0o077, 700),
        Expected::File => (found.is_file(), "regular file", 0o077, 600),
    };
    if found.is_symlink() {
        Some("it is a symbolic link: put the real thing there, or name its real place".into())
    } else if !is_expected {
        Some(format!("it is not a {name}: move it away"))
    } else if found.uid() != us {
        let owner = found.uid();
        Some(format!("it belongs to user {owner}, and this is user {us}: run this as its owner"))
    } else if expected == Expected::File && found.nlink() > 1 {
        Some("it has a second name (a hard link): remove that one".into())
    } else if found.mode() & closed != 0 {
        let quoted = redact::shell_quote(path);
        let found = found.mode() & 0o7777;
        Some(format!("other users have access to it (mode {found:04o}): run `chmod {mode} {quoted}`"))
    } else {
        None
    }
}

/// Makes a directory 0700, with its parents, unless it is there; refuses one that is a link, somebody else's or
/// open to others.
pub fn private_dir(path: &Path) -> io::Result<()> {
    make_dir(path)?;
    check_private_dir(path)
}

/// Refuses what [`private_dir`] refuses, and makes nothing.
pub fn check_private_dir(path: &Path) -> io::Result<()> {
    check_dir(path, Expected::Closed)
}

/// The same, but others may look into it; only not write.
pub fn data_dir(path: &Path) -> io::Result<()> {
    make_dir(path)?;
    check_data_dir(path)
}

/// Refuses what [`data_dir`] refuses, and makes nothing.
pub fn check_data_dir(path: &Path) -> io::Result<()> {
    check_dir(path, Expected::Directory)
}

fn make_dir(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn check_dir(path: &Path, expected: Expected) -> io::Result<()> {
    match distrust_reason(path, &fs::symlink_metadata(path)?, expected) {
        Some(why) => Err(io::Error::new(io::ErrorKind::PermissionDenied, why)),
        None => Ok(()),
    }
}

/// Whether a file is ours, regular and at least so old: nobody is writing it any more.
pub(crate) fn is_stale(path: &Path, age: Duration) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        let old = found.modified().is_ok_and(|at| at.elapsed().is_ok_and(|passed| passed >= age));
        found.is_file() && found.uid() == rustix::process::geteuid().as_raw() && old
    })
}

/// Makes a directory 0700 that was not there before.
pub fn fresh_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}
