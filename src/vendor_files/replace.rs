//! Atomic replacement of vendor files.

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fsync, mkdirat, openat, renameat, unlinkat},
    io::Errno,
};

use super::{directory::Directory, error::CaptureError, leftover};
use crate::provider::capture_map::FilePath;

/// New content of a file, on disk under a temporary name beside it. Removed when dropped without [`Staged::commit`].
pub(super) struct Staged<'a> {
    parent: Directory,
    temporary: String,
    file: FilePath<'a>,
    is_committed: bool,
}

impl<'a> Staged<'a> {
    /// Writes and syncs the content beside the file, and creates missing directories above it.
    pub(super) fn new(root: &Directory, file: FilePath<'a>, content: &str) -> Result<Self, CaptureError> {
        let display = file.display.clone();
        let parent = create_parents(root, &file)?;
        leftover::sweep(&parent);
        let existing = parent.check(file.name, &display)?;
        // The mode of an existing file may be stricter than 0600, and stays so.
        let mode = existing.map_or(Mode::all(), |stat| Mode::from_raw_mode(stat.st_mode))
            & (Mode::RUSR | Mode::WUSR);
        let (temporary, fd) = create_temporary(&parent, &display)?;
        let staged = Self { parent, temporary, file, is_committed: false };
        let mut written = File::from(fd);
        written.write_all(content.as_bytes()).map_err(|e| CaptureError::io(&display, "write", e))?;
        fchmod(&written, mode).map_err(|e| CaptureError::errno(&display, "set the mode of", e))?;
        written.sync_all().map_err(|e| CaptureError::io(&display, "write", e))?;
        Ok(staged)
    }

    /// Checks again that the existing file may be replaced.
    pub(super) fn check(&self) -> Result<(), CaptureError> {
        self.parent.check(self.file.name, &self.file.display).map(drop)
    }

    /// Renames the temporary file over the file.
    pub(super) fn commit(mut self) -> Result<(), CaptureError> {
        let failed = |action, errno| CaptureError::errno(&self.file.display, action, errno);
        renameat(&self.parent, &self.temporary, &self.parent, self.file.name)
            .map_err(|e| failed("replace", e))?;
        let synced = fsync(&self.parent).map_err(|e| failed("write", e));
        self.is_committed = true;
        synced
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.is_committed {
            // A failure is ignored: the next sweep removes the file.
            let _ = unlinkat(&self.parent, &self.temporary, AtFlags::empty());
        }
    }
}

fn create_temporary(parent: &Directory, display: &str) -> Result<(String, OwnedFd), CaptureError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = leftover::name(process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        match openat(parent, &name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => return Ok((name, fd)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(CaptureError::errno(display, "write", errno)),
        }
    }
}

fn create_parents(root: &Directory, file: &FilePath<'_>) -> Result<Directory, CaptureError> {
    let mut parent = root.try_clone(&file.display)?;
    for (depth, name) in file.parents.iter().enumerate() {
        let display = file.display_parent(depth);
        match mkdirat(&parent, *name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(CaptureError::errno(&display, "create", errno)),
        }
        let opened = parent.descend(*name, &display)?;
        parent = opened.ok_or_else(|| CaptureError::errno(&display, "open", Errno::NOENT))?;
        parent.check_private(&display)?;
    }
    Ok(parent)
}
