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
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat},
    io::{Errno, fcntl_dupfd_cloexec},
    path::Arg,
    process::geteuid,
};
use zeroize::Zeroizing;

use super::error::{CaptureError, Refusal};
use crate::{provider::capture_map::FilePath, redact::escape};

/// Size limit of a vendor file.
pub(crate) const MAX_SIZE: u64 = 4 << 20;

/// An open directory.
pub(super) struct Directory {
    fd: OwnedFd,
    /// The only user whose files and directories are accepted; `None` accepts everybody's.
    owner: Option<u32>,
}

impl Directory {
    /// Opens our directory at `path`. The caller vouches for what is above it; its last segment must not be a link.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::open_owned(path, Some(geteuid().as_raw()))
    }

    /// Opens the directory at `path` and accepts everybody's files: for listing names.
    pub(super) fn open_anyones(path: &Path) -> Result<Self, CaptureError> {
        Self::open_owned(path, None)
    }

    fn open_owned(path: &Path, owner: Option<u32>) -> Result<Self, CaptureError> {
        let display = escape(path.as_os_str().as_encoded_bytes());
        let opened = Self::open_at(CWD, path, owner, &display)?;
        opened.ok_or_else(|| CaptureError::io(&display, "open")(Errno::NOENT))
    }

    /// Opens the directory at `path`, if it is ours and no other user could replace the files in it.
    pub(super) fn open_private(path: &Path) -> Result<Self, CaptureError> {
        let directory = Self::open(path)?;
        directory.check_private(&escape(path.as_os_str().as_encoded_bytes()))?;
        Ok(directory)
    }

    /// Opens the subdirectory `name`, if it exists. Errors call it `display`.
    pub(super) fn descend(&self, name: impl Arg + Copy, display: &str) -> Result<Option<Self>, CaptureError> {
        Self::open_at(self.fd.as_fd(), name, self.owner, display)
    }

    /// Opens the directory that holds `file`, if it exists.
    pub(super) fn open_parent(&self, file: &FilePath<'_>) -> Result<Option<Self>, CaptureError> {
        let mut parent = self.try_clone(file)?;
        for (depth, name) in file.parents.iter().enumerate() {
            match parent.descend(*name, &file.display_parent(depth))? {
                Some(next) => parent = next,
                None => return Ok(None),
            }
        }
        Ok(Some(parent))
    }

    /// Opens the directory that holds `file`, and creates it and those above it with mode 0700 if they are missing.
    /// Refuses one in which another user could replace our files.
    pub(super) fn create_parent(&self, file: &FilePath<'_>) -> Result<Self, CaptureError> {
        let mut parent = self.try_clone(file)?;
        for (depth, name) in file.parents.iter().enumerate() {
            let display = file.display_parent(depth);
            match mkdirat(&parent, *name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(CaptureError::io(&display, "create")(errno)),
            }
            let opened = parent.descend(*name, &display)?;
            parent = opened.ok_or_else(|| CaptureError::io(&display, "open")(Errno::NOENT))?;
            parent.check_private(&display)?;
        }
        Ok(parent)
    }

    fn try_clone(&self, file: &FilePath<'_>) -> Result<Self, CaptureError> {
        let fd = fcntl_dupfd_cloexec(&self.fd, 0).map_err(CaptureError::io(&file.display, "open"))?;
        Ok(Self { fd, owner: self.owner })
    }

    fn check_private(&self, display: &str) -> Result<(), CaptureError> {
        let stat = fstat(&self.fd).map_err(CaptureError::io(display, "inspect"))?;
        match Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
            true => Err(CaptureError::refused(display, Refusal::Writable)),
            false => Ok(()),
        }
    }

    /// Checks that the file, if it exists in this directory, may be read.
    pub(super) fn check(&self, file: &FilePath<'_>) -> Result<Option<Stat>, CaptureError> {
        match statat(&self.fd, file.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => check_file(&stat, self.owner, &file.display).map(|()| Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(CaptureError::io(&file.display, "inspect")(errno)),
        }
    }

    /// Reads the file, if it exists somewhere below this directory.
    pub(super) fn read_below(&self, file: &FilePath<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, CaptureError> {
        self.open_parent(file)?.map_or(Ok(None), |parent| parent.read(file))
    }

    /// Reads the file, if it exists in this directory.
    pub(super) fn read(&self, file: &FilePath<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, CaptureError> {
        // Checked before opening, because opening a device can have effects; and after, because it may have changed.
        if self.check(file)?.is_none() {
            return Ok(None);
        }
        let display = &file.display;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, file.name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(CaptureError::refused(display, Refusal::Link)),
            Err(errno) => return Err(CaptureError::io(display, "open")(errno)),
        };
        let stat = fstat(&fd).map_err(CaptureError::io(display, "inspect"))?;
        check_file(&stat, self.owner, display)?;
        let mut content = Zeroizing::new(Vec::with_capacity(stat.st_size as usize + 1));
        let read = File::from(fd).take(MAX_SIZE + 1).read_to_end(&mut content);
        if read.map_err(CaptureError::io(display, "read"))? as u64 > MAX_SIZE {
            return Err(CaptureError::refused(display, Refusal::Size));
        }
        Ok(Some(content))
    }

    fn open_at(
        parent: BorrowedFd<'_>,
        name: impl Arg + Copy,
        owner: Option<u32>,
        display: &str,
    ) -> Result<Option<Self>, CaptureError> {
        let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(CaptureError::io(display, "inspect")(errno)),
        };
        check_directory(&stat, owner, display)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match openat(parent, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(CaptureError::refused(display, Refusal::NotADirectory));
            }
            Err(errno) => return Err(CaptureError::io(display, "open")(errno)),
        };
        let stat = fstat(&fd).map_err(CaptureError::io(display, "inspect"))?;
        check_directory(&stat, owner, display)?;
        Ok(Some(Self { fd, owner }))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn check_directory(stat: &Stat, owner: Option<u32>, display: &str) -> Result<(), CaptureError> {
    let is_accepted = owner.is_none_or(|uid| uid == stat.st_uid);
    let problem = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory if is_accepted => return Ok(()),
        FileType::Directory => Refusal::Owner,
        FileType::Symlink => Refusal::Link,
        _ => Refusal::NotADirectory,
    };
    Err(CaptureError::refused(display, problem))
}

fn check_file(stat: &Stat, owner: Option<u32>, display: &str) -> Result<(), CaptureError> {
    let is_accepted = owner.is_none_or(|uid| uid == stat.st_uid);
    let problem = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Refusal::Link,
        FileType::RegularFile if !is_accepted => Refusal::Owner,
        FileType::RegularFile if stat.st_nlink > 1 => Refusal::HardLink,
        FileType::RegularFile if stat.st_size as u64 > MAX_SIZE => Refusal::Size,
        FileType::RegularFile => return Ok(()),
        _ => Refusal::NotAFile,
    };
    Err(CaptureError::refused(display, problem))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Whatever is made here is ours: to a directory that accepts another user's files, it is somebody else's.
    #[test]
    fn file_or_directory_of_an_unexpected_owner_is_refused() {
        let login = tempfile::tempdir().expect("directory");
        fs::create_dir(login.path().join("d")).expect("directory");
        fs::write(login.path().join("d/a.json"), "{}").expect("file");
        let file = FilePath::parse("d/a.json").expect("a path");
        let ours = Directory::open(login.path()).expect("ours");
        let parent = ours.open_parent(&file).expect("ours").expect("found");
        assert!(parent.read(&file).expect("ours").is_some());

        let other = Some(geteuid().as_raw() ^ 1);
        let [root, parent] = [ours, parent].map(|directory| Directory { owner: other, ..directory });
        let refused = [
            Directory::open_owned(login.path(), other).map(drop),
            root.open_parent(&file).map(drop),
            root.create_parent(&file).map(drop),
            parent.check(&file).map(drop),
            parent.read(&file).map(drop),
        ];
        for result in refused {
            let error = result.expect_err("refused");
            assert!(matches!(error, CaptureError::Refused { problem: Refusal::Owner, .. }), "{error}");
        }
    }
}
