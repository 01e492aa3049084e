//! Directories and files that are ours alone.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// Makes a directory 0700, with its parents, unless it is there; refuses one that is a link, somebody else's or
/// open to others.
pub fn private_dir(path: &Path) -> io::Result<()> {
    own_dir(path, 0o077, "others can enter it: run chmod 700 on it")
}

/// The same, but others may look into it; only not write.
pub fn data_dir(path: &Path) -> io::Result<()> {
    own_dir(path, 0o022, "others can write to it: run chmod go-w on it")
}

fn own_dir(path: &Path, forbidden: u32, why: &str) -> io::Result<()> {
    match fs::DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    if !found.is_dir() {
        return refuse("it is not a directory");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if found.mode() & forbidden != 0 {
        return refuse(why);
    }
    Ok(())
}

/// Makes a directory 0700 that was not there before.
pub fn fresh_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Removes a tree, whatever modes its directories were given; follows no link.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path);
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn open_up(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
