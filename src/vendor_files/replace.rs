//! Atomic replacement of vendor files.

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat},
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
        let parent = root.create_parent(&file)?;
        leftover::sweep(&parent);
        let existing = parent.check(&file)?;
        // The mode of an existing file may be stricter than 0600, and stays so.
        let mode = existing.map_or(Mode::all(), |stat| Mode::from_raw_mode(stat.st_mode))
            & (Mode::RUSR | Mode::WUSR);
        let (temporary, fd) = create_temporary(&parent, &file)?;
        let staged = Self { parent, temporary, file, is_committed: false };
        let display = &staged.file.display;
        let mut written = File::from(fd);
        written.write_all(content.as_bytes()).map_err(CaptureError::io(display, "write"))?;
        fchmod(&written, mode).map_err(CaptureError::io(display, "set the mode of"))?;
        written.sync_all().map_err(CaptureError::io(display, "write"))?;
        Ok(staged)
    }

    /// Checks again that the existing file may be replaced.
    pub(super) fn check(&self) -> Result<(), CaptureError> {
        self.parent.check(&self.file).map(drop)
    }

    /// Renames the temporary file over the file.
    pub(super) fn commit(mut self) -> Result<(), CaptureError> {
        let display = &self.file.display;
        renameat(&self.parent, &self.temporary, &self.parent, self.file.name)
            .map_err(CaptureError::io(display, "replace"))?;
        let synced = fsync(&self.parent).map_err(CaptureError::io(display, "write"));
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

fn create_temporary(parent: &Directory, file: &FilePath<'_>) -> Result<(String, OwnedFd), CaptureError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = leftover::name(process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        match openat(parent, &name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => return Ok((name, fd)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(CaptureError::io(&file.display, "write")(errno)),
        }
    }
}
