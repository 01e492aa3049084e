//! A directory whose contents are untrusted.
//!
//! Every name is opened relative to its open parent and without following links. Only regular files of an accepted
//! owner and without a second hard link are read.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::{Errno, fcntl_dupfd_cloexec},
    path::Arg,
};
use zeroize::Zeroizing;

use super::{
    error::{CaptureError, Refusal},
    owner::Owner,
};
use crate::{provider::capture_map::FilePath, redact::escape};

/// Size limit of a vendor file.
const MAX_SIZE: u64 = 1 << 20;

/// An open directory. The `display` arguments of its methods are the names that errors print.
pub(super) struct Directory {
    fd: OwnedFd,
    owner: Owner,
}

impl Directory {
    /// Opens the directory at `path`. The caller vouches for what is above it; its last segment must not be a link.
    pub(super) fn open(path: &Path, owner: Owner) -> Result<Self, CaptureError> {
        let display = escape(path.as_os_str().as_encoded_bytes());
        match open_directory(CWD, path, owner, &display)? {
            Some(fd) => Ok(Self { fd, owner }),
            None => Err(CaptureError::errno(&display, "open", Errno::NOENT)),
        }
    }

    /// Opens the subdirectory `name`, if it exists.
    pub(super) fn descend(&self, name: impl Arg + Copy, display: &str) -> Result<Option<Self>, CaptureError> {
        let fd = open_directory(self.fd.as_fd(), name, self.owner, display)?;
        Ok(fd.map(|fd| Self { fd, owner: self.owner }))
    }

    /// Opens the directory that holds `file`, if it exists.
    pub(super) fn open_parent(&self, file: &FilePath<'_>) -> Result<Option<Self>, CaptureError> {
        let mut parent = self.try_clone(&file.display)?;
        for (depth, name) in file.parents.iter().enumerate() {
            match parent.descend(*name, &file.display_parent(depth))? {
                Some(next) => parent = next,
                None => return Ok(None),
            }
        }
        Ok(Some(parent))
    }

    /// Duplicates the descriptor.
    pub(super) fn try_clone(&self, display: &str) -> Result<Self, CaptureError> {
        let fd = fcntl_dupfd_cloexec(&self.fd, 0).map_err(|e| CaptureError::errno(display, "open", e))?;
        Ok(Self { fd, owner: self.owner })
    }

    /// Refuses a directory in which another user could replace our files.
    pub(super) fn check_private(&self, display: &str) -> Result<(), CaptureError> {
        let stat = fstat(&self.fd).map_err(|e| CaptureError::errno(display, "inspect", e))?;
        match Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
            true => Err(CaptureError::refused(display, Refusal::Writable)),
            false => Ok(()),
        }
    }

    /// Checks that `name`, if it exists, is a file that may be read.
    pub(super) fn check(&self, name: &str, display: &str) -> Result<Option<Stat>, CaptureError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => check_file(&stat, self.owner, display).map(|()| Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(CaptureError::errno(display, "inspect", errno)),
        }
    }

    /// Reads the file `name`, if it exists.
    pub(super) fn read(&self, name: &str, display: &str) -> Result<Option<Zeroizing<Vec<u8>>>, CaptureError> {
        // Checked before opening, because opening a device can have effects; and after, because it may have changed.
        if self.check(name, display)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(CaptureError::refused(display, Refusal::Link)),
            Err(errno) => return Err(CaptureError::errno(display, "open", errno)),
        };
        let stat = fstat(&fd).map_err(|e| CaptureError::errno(display, "inspect", e))?;
        check_file(&stat, self.owner, display)?;
        let mut content = Zeroizing::new(Vec::with_capacity(stat.st_size as usize + 1));
        let read = File::from(fd).take(MAX_SIZE + 1).read_to_end(&mut content);
        let read = read.map_err(|source| CaptureError::io(display, "read", source))?;
        if read as u64 > MAX_SIZE {
            return Err(CaptureError::refused(display, Refusal::Size));
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
    display: &str,
) -> Result<Option<OwnedFd>, CaptureError> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(CaptureError::errno(display, "inspect", errno)),
    };
    check_directory(&stat, owner, display)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match openat(parent, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR) => {
            return Err(CaptureError::refused(display, Refusal::NotADirectory));
        }
        Err(errno) => return Err(CaptureError::errno(display, "open", errno)),
    };
    let stat = fstat(&fd).map_err(|e| CaptureError::errno(display, "inspect", e))?;
    check_directory(&stat, owner, display)?;
    Ok(Some(fd))
}

fn check_directory(stat: &Stat, owner: Owner, display: &str) -> Result<(), CaptureError> {
    let problem = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory if owner.accepts(stat.st_uid) => return Ok(()),
        FileType::Directory => Refusal::Owner,
        FileType::Symlink => Refusal::Link,
        _ => Refusal::NotADirectory,
    };
    Err(CaptureError::refused(display, problem))
}

fn check_file(stat: &Stat, owner: Owner, display: &str) -> Result<(), CaptureError> {
    let problem = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Refusal::Link,
        FileType::RegularFile if !owner.accepts(stat.st_uid) => Refusal::Owner,
        FileType::RegularFile if stat.st_nlink > 1 => Refusal::HardLink,
        FileType::RegularFile if stat.st_size as u64 > MAX_SIZE => Refusal::Size,
        FileType::RegularFile => return Ok(()),
        _ => Refusal::NotAFile,
    };
    Err(CaptureError::refused(display, problem))
}
