//! Removal of an untrusted directory tree.

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::{
        fd::{AsFd, AsRawFd as _, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, renameat, statat, unlinkat},
    io::Errno,
    path::Arg,
};

/// Removes a tree of any depth, whatever the modes of its directories. Follows no link.
///
/// # Errors
/// The first error of the system. Everything that can be removed is removed all the same.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let root = match open(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(path),
        opened => opened?,
    };
    let mut removal = Removal { root, pending: Vec::new(), moved: 0, first_error: None };
    let top = removal.root.try_clone()?;
    let emptied = removal.empty(&top, |removal, _, name| removal.pending.push(name.to_owned()));
    removal.record(emptied);
    while let Some(name) = removal.pending.pop() {
        removal.remove_dir(&name);
    }
    match removal.first_error {
        Some(error) => Err(error.into()),
        None => fs::remove_dir(path),
    }
}

/// The removal of one tree. Subdirectories are moved up into the root before they are emptied, so that a
/// few descriptors and short paths are enough for any depth.
struct Removal {
    root: OwnedFd,
    /// Names of the directories in the root that are still to be removed.
    pending: Vec<CString>,
    /// Number of names given to moved directories.
    moved: u64,
    first_error: Option<Errno>,
}

impl Removal {
    /// Removes a directory in the root, after moving its non-empty subdirectories into the root.
    fn remove_dir(&mut self, name: &CStr) {
        let emptied =
            open(&self.root, name).and_then(|directory| self.empty(&directory, Self::remove_or_move_up));
        self.record(emptied);
        self.record(unlinkat(&self.root, name, AtFlags::REMOVEDIR));
    }

    /// Removes the files in a directory, and calls `on_subdirectory` for each subdirectory. The error is one of reading
    /// the directory.
    fn empty(
        &mut self,
        directory: &OwnedFd,
        on_subdirectory: fn(&mut Self, &OwnedFd, &CStr),
    ) -> Result<(), Errno> {
        let entries = openat(directory, c".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        for entry in Dir::new(entries)? {
            let entry = entry?;
            let name = entry.file_name();
            match name {
                _ if name == c"." || name == c".." => {}
                name if is_directory(directory, name, entry.file_type()) => {
                    on_subdirectory(self, directory, name)
                }
                name => self.record(unlinkat(directory, name, AtFlags::empty())),
            }
        }
        Ok(())
    }

    /// Removes a subdirectory if it is empty, else moves it into the root.
    fn remove_or_move_up(&mut self, directory: &OwnedFd, name: &CStr) {
        if unlinkat(directory, name, AtFlags::REMOVEDIR).is_ok() {
            return;
        }
        // Moving a directory changes its `..`, so it must be writable: opening it sets the mode.
        if let Err(error) = open(directory, name) {
            return self.record(Err(error));
        }
        loop {
            self.moved += 1;
            let Ok(new_name) = CString::new(format!("removed-{}", self.moved)) else { return };
            match renameat(directory, name, &self.root, &new_name) {
                Ok(()) => return self.pending.push(new_name),
                // The name is taken: try the next number.
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(error) => return self.record(Err(error)),
            }
        }
    }

    fn record(&mut self, result: Result<(), Errno>) {
        match result {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.first_error = self.first_error.or(Some(error)),
        }
    }
}

fn is_directory(parent: &OwnedFd, name: &CStr, listed: FileType) -> bool {
    match listed {
        // Some file systems do not list the type.
        FileType::Unknown => statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory),
        listed => listed == FileType::Directory,
    }
}

/// Opens a directory and sets its mode to 0700, so that it can be emptied. The mode is set through the descriptor: a
/// container that still runs could put a link in its place.
fn open(parent: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    let (flags, is_handle) = (flags | OFlags::PATH, true);
    #[cfg(not(target_os = "linux"))]
    let is_handle = false;
    let found = openat(parent, name, flags, Mode::empty())?;
    if is_handle {
        // An `O_PATH` descriptor needs no read permission, and its name in `/proc` cannot be redirected.
        let handle = format!("/proc/self/fd/{}", found.as_raw_fd());
        let _ = fs::set_permissions(handle, fs::Permissions::from_mode(0o700));
    } else {
        let _ = rustix::fs::fchmod(&found, Mode::RWXU);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn remove_deletes_unreadable_directories_and_follows_no_link() {
        let place = tempfile::tempdir().expect("directory");
        let (tree, outside) = (place.path().join("tree"), place.path().join("outside"));
        fs::create_dir_all(tree.join("closed/deeper")).expect("made");
        fs::create_dir(&outside).expect("made");
        fs::write(outside.join("file"), "kept").expect("written");
        symlink(&outside, tree.join("link")).expect("a link");
        let unreadable = || fs::Permissions::from_mode(0o000);
        for directory in [&tree.join("closed/deeper"), &tree.join("closed"), &outside] {
            fs::set_permissions(directory, unreadable()).expect("mode");
        }
        remove(&tree).expect("removed");
        assert!(!tree.exists() && outside.exists());
        assert_eq!(fs::metadata(&outside).expect("there").mode() & 0o777, 0);
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o700)).expect("mode");
    }
}
