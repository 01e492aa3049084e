//! A directory that somebody hostile may have written: every name in it is opened relative to an open parent, no
//! link is followed, and only plain files with one name and the right owner are read.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::{Errno, fcntl_dupfd_cloexec},
    path::Arg,
    process::geteuid,
};
use zeroize::Zeroizing;

use super::{
    error::{CaptureError, Refusal},
    names::escape,
};

/// The largest vendor file that is read.
const MAX_SIZE: u64 = 1 << 20;

/// Whose files are taken. Ours always; where an engine maps user ids, those of one more user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(OwnerRule);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnerRule {
    Us,
    UsOr(u32),
    Anyone,
}

impl Owner {
    /// The user that this process acts as, and nobody else.
    pub fn us() -> Self {
        Self(OwnerRule::Us)
    }

    /// Us, or the user id that a container's files have on the host.
    pub fn us_or(uid: u32) -> Self {
        Self(OwnerRule::UsOr(uid))
    }

    /// For listing names only.
    pub(super) fn anyone() -> Self {
        Self(OwnerRule::Anyone)
    }

    fn takes(self, uid: u32) -> bool {
        match self.0 {
            OwnerRule::Anyone => true,
            OwnerRule::UsOr(other) if other == uid => true,
            OwnerRule::Us | OwnerRule::UsOr(_) => uid == geteuid().as_raw(),
        }
    }
}

/// An open directory.
pub(super) struct Directory {
    fd: OwnedFd,
    owner: Owner,
}

impl Directory {
    /// Opens the directory itself; whoever names it vouches for what is above it, not for the last part.
    pub(super) fn open(path: &Path, owner: Owner) -> Result<Self, CaptureError> {
        let shown = escape(path.as_os_str().as_encoded_bytes());
        match open_directory(CWD, path, owner, &shown)? {
            Some(fd) => Ok(Self { fd, owner }),
            None => Err(failed(&shown, "open", Errno::NOENT)),
        }
    }

    /// The directory of that name in this one, if there is one.
    pub(super) fn descend(&self, name: impl Arg + Copy, shown: &str) -> Result<Option<Self>, CaptureError> {
        let fd = open_directory(self.fd.as_fd(), name, self.owner, shown)?;
        Ok(fd.map(|fd| Self { fd, owner: self.owner }))
    }

    /// The same directory once more.
    pub(super) fn again(&self, shown: &str) -> Result<Self, CaptureError> {
        let fd = fcntl_dupfd_cloexec(&self.fd, 0).map_err(|e| failed(shown, "open", e))?;
        Ok(Self { fd, owner: self.owner })
    }

    /// True if nobody but its owner can put names into it.
    pub(super) fn is_private(&self, shown: &str) -> Result<bool, CaptureError> {
        let stat = fstat(&self.fd).map_err(|e| failed(shown, "look at", e))?;
        Ok(!Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH))
    }

    /// What is there under that name, if it is a file that may be read; `None` if nothing is.
    pub(super) fn check(&self, name: &str, shown: &str) -> Result<Option<Stat>, CaptureError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => check_file(&stat, self.owner, shown).map(|()| Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failed(shown, "look at", errno)),
        }
    }

    /// The content of the file of that name, if there is one.
    pub(super) fn read(&self, name: &str, shown: &str) -> Result<Option<Zeroizing<Vec<u8>>>, CaptureError> {
        // Looked at before it is opened, so that no device is opened at all, and again after: it may have changed.
        if self.check(name, shown)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(refused(shown, Refusal::Link)),
            Err(errno) => return Err(failed(shown, "open", errno)),
        };
        let stat = fstat(&fd).map_err(|e| failed(shown, "look at", e))?;
        check_file(&stat, self.owner, shown)?;
        let mut content = Zeroizing::new(Vec::with_capacity(stat.st_size as usize + 1));
        let read = File::from(fd).take(MAX_SIZE + 1).read_to_end(&mut content);
        let read = read.map_err(|source| io_failed(shown, "read", source))?;
        if read as u64 > MAX_SIZE {
            return Err(refused(shown, Refusal::Size));
        }
        Ok(Some(content))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open_directory(
    parent: BorrowedFd<'_>,
    name: impl Arg + Copy,
    owner: Owner,
    shown: &str,
) -> Result<Option<OwnedFd>, CaptureError> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(shown, "look at", errno)),
    };
    check_directory(&stat, owner, shown)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match openat(parent, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR) => return Err(refused(shown, Refusal::NotADirectory)),
        Err(errno) => return Err(failed(shown, "open", errno)),
    };
    let stat = fstat(&fd).map_err(|e| failed(shown, "look at", e))?;
    check_directory(&stat, owner, shown)?;
    Ok(Some(fd))
}

fn check_directory(stat: &Stat, owner: Owner, shown: &str) -> Result<(), CaptureError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory if owner.takes(stat.st_uid) => Ok(()),
        FileType::Directory => Err(refused(shown, Refusal::Owner)),
        FileType::Symlink => Err(refused(shown, Refusal::Link)),
        _ => Err(refused(shown, Refusal::NotADirectory)),
    }
}

fn check_file(stat: &Stat, owner: Owner, shown: &str) -> Result<(), CaptureError> {
    let problem = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Refusal::Link,
        FileType::RegularFile if !owner.takes(stat.st_uid) => Refusal::Owner,
        FileType::RegularFile if stat.st_nlink > 1 => Refusal::HardLink,
        FileType::RegularFile if stat.st_size as u64 > MAX_SIZE => Refusal::Size,
        FileType::RegularFile => return Ok(()),
        _ => Refusal::NotAFile,
    };
    Err(refused(shown, problem))
}

pub(super) fn refused(shown: &str, problem: Refusal) -> CaptureError {
    CaptureError::Refused { file: shown.to_owned(), problem }
}

pub(super) fn failed(shown: &str, action: &'static str, errno: Errno) -> CaptureError {
    io_failed(shown, action, errno.into())
}

pub(super) fn io_failed(shown: &str, action: &'static str, source: io::Error) -> CaptureError {
    CaptureError::Io { file: shown.to_owned(), action, source }
}
