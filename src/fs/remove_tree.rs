//! Removing a directory with everything in it, whoever wrote that.

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

/// Removes a tree, whatever modes its directories were given and however deep it is; follows no link.
///
/// # Errors
/// The first of what the system says. The rest is removed all the same.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let root = match open(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(path),
        opened => opened?,
    };
    let mut removal = Removal { root, pending: Vec::new(), moved: 0, failed: None };
    let top = removal.root.try_clone()?;
    removal.empty(&top, |removal, _, name| removal.pending.push(name.to_owned()));
    while let Some(name) = removal.pending.pop() {
        removal.remove_dir(&name);
    }
    match removal.failed {
        Some(error) => Err(error.into()),
        None => fs::remove_dir(path),
    }
}

/// A tree is taken apart from its root: what is in a directory is moved up there before its turn comes. So it takes a few
/// descriptors however deep it is.
struct Removal {
    root: OwnedFd,
    /// Directories in the root.
    pending: Vec<CString>,
    moved: u64,
    failed: Option<Errno>,
}

impl Removal {
    /// Removes a directory in the root, but for those in it that are not empty: they are in the root afterwards.
    fn remove_dir(&mut self, name: &CStr) {
        match open(&self.root, name) {
            Ok(directory) => self.empty(&directory, Self::take_up),
            Err(error) => self.note(Err(error)),
        }
        self.note(unlinkat(&self.root, name, AtFlags::REMOVEDIR));
    }

    /// Removes what is in a directory, and does this with each directory in it.
    fn empty(&mut self, directory: &OwnedFd, with_each: fn(&mut Self, &OwnedFd, &CStr)) {
        let entries = match openat(directory, c".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(opened) => Dir::new(opened),
            Err(error) => Err(error),
        };
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.note(Err(error)),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.note(Err(error)),
            };
            let name = entry.file_name();
            match name {
                _ if name == c"." || name == c".." => {}
                name if is_directory(directory, name, entry.file_type()) => with_each(self, directory, name),
                name => self.note(unlinkat(directory, name, AtFlags::empty())),
            }
        }
    }

    /// Removes an empty directory, and moves any other into the root.
    fn take_up(&mut self, directory: &OwnedFd, name: &CStr) {
        if unlinkat(directory, name, AtFlags::REMOVEDIR).is_ok() {
            return;
        }
        // Moving one changes it, too: its `..` is another one.
        if let Err(error) = open(directory, name) {
            return self.note(Err(error));
        }
        loop {
            self.moved += 1;
            let Ok(free) = CString::new(format!("removed-{}", self.moved)) else { return };
            match renameat(directory, name, &self.root, &free) {
                Ok(()) => return self.pending.push(free),
                // Something has that name already.
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(error) => return self.note(Err(error)),
            }
        }
    }

    fn note(&mut self, done: Result<(), Errno>) {
        match done {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.failed = self.failed.or(Some(error)),
        }
    }
}

fn is_directory(parent: &OwnedFd, name: &CStr, said: FileType) -> bool {
    match said {
        // Some file systems do not say it in the list.
        FileType::Unknown => statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory),
        said => said == FileType::Directory,
    }
}

/// Opens a directory, ours to remove whatever mode it had. By its descriptor: whoever wrote it may be putting a link there
/// now.
fn open(parent: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    let (flags, is_handle) = (flags | OFlags::PATH, true);
    #[cfg(not(target_os = "linux"))]
    let is_handle = false;
    let found = openat(parent, name, flags, Mode::empty())?;
    if is_handle {
        // One that may not be read has a handle all the same, and this name leads nowhere else.
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
    fn a_tree_that_may_not_be_entered_is_removed_and_no_link_is_followed() {
        let place = tempfile::tempdir().expect("directory");
        let (tree, outside) = (place.path().join("tree"), place.path().join("outside"));
        fs::create_dir_all(tree.join("closed/deeper")).expect("made");
        fs::create_dir(&outside).expect("made");
        fs::write(outside.join("file"), "kept").expect("written");
        symlink(&outside, tree.join("link")).expect("a link");
        let closed = || fs::Permissions::from_mode(0o000);
        for directory in [&tree.join("closed/deeper"), &tree.join("closed"), &outside] {
            fs::set_permissions(directory, closed()).expect("mode");
        }
        remove(&tree).expect("removed");
        assert!(!tree.exists() && outside.exists());
        assert_eq!(fs::metadata(&outside).expect("there").mode() & 0o777, 0);
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o700)).expect("mode");
    }
}
