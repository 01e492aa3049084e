//! Replacing files: all new contents are on disk before the first of them takes its place.

use std::{
    fs::File,
    io::Write,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fchmod, fsync, mkdirat, openat, renameat, unlinkat},
    io::Errno,
};

use super::{
    directory::{Directory, failed, io_failed, refused},
    error::{CaptureError, Refusal},
    leftover,
    location::Location,
};

/// A file's new content, under another name beside it. Gone again unless it takes its place.
pub(super) struct Staged<'a> {
    parent: Directory,
    temporary: String,
    location: Location<'a>,
    in_place: bool,
}

impl<'a> Staged<'a> {
    /// Writes the content to disk beside its place, making the directories above it where they are missing.
    pub(super) fn new(root: &Directory, location: Location<'a>, content: &str) -> Result<Self, CaptureError> {
        let shown = location.shown.clone();
        let parent = make_parents(root, &location)?;
        leftover::sweep(&parent);
        let existing = parent.check(location.name, &shown)?;
        // An existing file may be stricter than 0600, never looser.
        let mode = existing.map_or(Mode::all(), |stat| Mode::from_raw_mode(stat.st_mode))
            & (Mode::RUSR | Mode::WUSR);
        let (temporary, fd) = create(&parent, &shown)?;
        let staged = Self { parent, temporary, location, in_place: false };
        let mut file = File::from(fd);
        file.write_all(content.as_bytes()).map_err(|e| io_failed(&shown, "write", e))?;
        fchmod(&file, mode).map_err(|e| failed(&shown, "set the mode of", e))?;
        file.sync_all().map_err(|e| io_failed(&shown, "write", e))?;
        Ok(staged)
    }

    /// Refuses if what is in the place by now is not to be replaced.
    pub(super) fn check(&self) -> Result<(), CaptureError> {
        self.parent.check(self.location.name, &self.location.shown).map(drop)
    }

    /// Puts the content in its place, in one step.
    pub(super) fn commit(mut self) -> Result<(), CaptureError> {
        let (shown, parent) = (&self.location.shown, &self.parent);
        renameat(parent, &self.temporary, parent, self.location.name)
            .map_err(|e| failed(shown, "replace", e))?;
        self.in_place = true;
        fsync(&self.parent).map_err(|e| failed(&self.location.shown, "write", e))
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.in_place {
            // Nothing can be done about a failure here, and the name says whose it is.
            let _ = unlinkat(&self.parent, &self.temporary, AtFlags::empty());
        }
    }
}

fn create(parent: &Directory, shown: &str) -> Result<(String, std::os::fd::OwnedFd), CaptureError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = leftover::name(process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        match openat(parent, &name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => return Ok((name, fd)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(shown, "write", errno)),
        }
    }
}

fn make_parents(root: &Directory, location: &Location<'_>) -> Result<Directory, CaptureError> {
    let mut parent = root.again(&location.shown)?;
    for (depth, name) in location.parents.iter().enumerate() {
        let shown = location.shown_parent(depth);
        match mkdirat(&parent, *name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(&shown, "make", errno)),
        }
        parent = parent.descend(*name, &shown)?.ok_or_else(|| failed(&shown, "open", Errno::NOENT))?;
        check_private(&parent, &shown)?;
    }
    Ok(parent)
}

/// Refuses a directory in which somebody else could put a name in the place of ours.
pub(super) fn check_private(directory: &Directory, shown: &str) -> Result<(), CaptureError> {
    match directory.is_private(shown)? {
        true => Ok(()),
        false => Err(refused(shown, Refusal::Writable)),
    }
}
