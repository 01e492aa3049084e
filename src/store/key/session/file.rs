//! A file in `XDG_RUNTIME_DIR`, which is the user's alone, in memory, and ends with the login session.

use std::{
    env,
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{KEY, Kept};
use crate::{
    fs::stale,
    store::{StoreError, db::permissions},
};

/// The file systems that are in memory: tmpfs and ramfs, see statfs(2).
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// How the name of one begins that is not in its place yet, and for how long somebody may still be writing it.
const UNFINISHED: (&str, Duration) = (".authenticate-", Duration::from_secs(60));

pub(super) fn keep(name: &str, kept: &Kept) -> Result<(), StoreError> {
    let refuse = |path: &Path, why: &str| StoreError::Refused { path: path.to_owned(), why: why.to_owned() };
    let Some(directory) = directory() else {
        let why =
            "it is not set, and this kernel has no key ring for us: there is no place to keep a key unlocked";
        return Err(refuse(Path::new("XDG_RUNTIME_DIR"), why));
    };
    if permissions::directory(&directory)?.is_none() {
        return Err(refuse(&directory, "it does not exist"));
    }
    if !is_in_memory(&directory) {
        return Err(refuse(&directory, "it is not in memory, and an unlocked key must not be on a disk"));
    }
    keep_in(&directory, name, kept).map_err(StoreError::io("write into", directory))
}

pub(super) fn find(name: &str) -> Option<Kept> {
    find_in(&directory()?, name)
}

pub(super) fn forget(name: &str) -> bool {
    directory().is_some_and(|directory| forget_in(&directory, name))
}

fn directory() -> Option<PathBuf> {
    env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())
}

fn is_in_memory(directory: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        let kind = rustix::fs::statfs(directory).ok().and_then(|found| u64::try_from(found.f_type).ok());
        kind.is_some_and(|kind| IN_MEMORY.contains(&kind))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (directory, IN_MEMORY);
        false
    }
}

fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(name.replace(':', "-"))
}

fn keep_in(directory: &Path, name: &str, kept: &Kept) -> std::io::Result<()> {
    let (prefix, time) = UNFINISHED;
    stale::remove_files(directory, prefix, time);
    let mut new = tempfile::Builder::new().prefix(prefix).tempfile_in(directory)?;
    new.write_all(&kept[..])?;
    new.persist(path(directory, name)).map_err(|error| error.error)?;
    Ok(())
}

fn find_in(directory: &Path, name: &str) -> Option<Kept> {
    let path = path(directory, name);
    permissions::file(&path).ok()??;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let mut kept: Kept = Zeroizing::new([0; KEY + 8]);
    file.read_exact(&mut kept[..]).ok()?;
    Some(kept)
}

fn forget_in(directory: &Path, name: &str) -> bool {
    stale::remove_files(directory, UNFINISHED.0, Duration::ZERO);
    fs::remove_file(path(directory, name)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_found_until_it_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let kept: Kept = Zeroizing::new([7; KEY + 8]);
        keep_in(directory.path(), "authenticate:a", &kept).expect("kept");
        let found = fs::read_dir(directory.path()).expect("read").next().expect("a file").expect("a file");
        assert_eq!(found.metadata().expect("its mode").permissions().mode() & 0o7777, 0o600);
        assert_eq!(find_in(directory.path(), "authenticate:a"), Some(kept));
        assert_eq!(find_in(directory.path(), "authenticate:b"), None);
        assert!(forget_in(directory.path(), "authenticate:a"));
        assert!(!forget_in(directory.path(), "authenticate:a"));
        // As if somebody had been killed.
        fs::write(directory.path().join(".authenticate-XYZ"), "a part of it").expect("written");
        forget_in(directory.path(), "authenticate:a");
        assert!(fs::read_dir(directory.path()).expect("read").next().is_none());
        assert_eq!(find_in(directory.path(), "authenticate:a"), None);
    }

    #[test]
    fn a_disk_is_not_memory() {
        assert!(!is_in_memory(Path::new("/proc")));
        assert!(is_in_memory(Path::new("/dev/shm")));
    }
}
