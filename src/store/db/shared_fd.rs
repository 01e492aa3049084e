//! The descriptor through which the header is read.
//!
//! POSIX locks belong to a process and a file: closing *any* descriptor of the file drops them all, also those
//! that SQLite holds for another [`Store`](crate::store::Store) of this process, and a database whose locks are gone
//! can lose writes (<https://www.sqlite.org/howtocorrupt.html>, 2.2). So there is one descriptor per file and
//! process, shared, and closed only when no store of the process has the file open.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::{File, Metadata, OpenOptions},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::fs::OFlags;

use super::{header, permissions};
use crate::store::StoreError;

/// Device and inode.
type Key = (u64, u64);

static HELD: Mutex<BTreeMap<Key, (File, usize)>> = Mutex::new(BTreeMap::new());

/// A share in the descriptor of a database file. Drop it after the connection.
#[derive(Debug)]
pub(in crate::store) struct SharedFd {
    key: Key,
    path: PathBuf,
}

impl SharedFd {
    /// Opens the file, which must be one to trust and a database of ours.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let replaced = || StoreError::Refused {
            path: path.to_owned(),
            why: "it was replaced while it was being opened: try again".into(),
        };
        let key = key(&permissions::file(path)?.ok_or_else(replaced)?);
        let mut held = lock();
        match held.entry(key) {
            Entry::Occupied(mut entry) => entry.get_mut().1 += 1,
            Entry::Vacant(entry) => {
                let file = open_nofollow(path).map_err(StoreError::io("read", path))?;
                let opened = file.metadata().map_err(StoreError::io("look at", path))?;
                if self::key(&opened) != key {
                    // Closing it could drop the locks of whatever file this is; losing a descriptor is less.
                    std::mem::forget(file);
                    return Err(replaced());
                }
                entry.insert((file, 1));
            }
        }
        // From here on the share is given back by `drop`, which locks again.
        let share = Self { key, path: path.to_owned() };
        let mut bytes = [0; header::LENGTH];
        let read = held.get(&key).map_or(Ok(0), |(file, _)| read_start(file, &mut bytes));
        drop(held);
        let read = read.map_err(StoreError::io("read", path))?;
        header::verify(bytes.get(..read).unwrap_or_default(), path)?;
        Ok(share)
    }

    /// Where the file is.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SharedFd {
    fn drop(&mut self) {
        let mut held = lock();
        if let Some((_, users)) = held.get_mut(&self.key) {
            *users -= 1;
            if *users == 0 {
                held.remove(&self.key);
            }
        }
    }
}

fn lock() -> MutexGuard<'static, BTreeMap<Key, (File, usize)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without waiting for anybody either, should it be a FIFO by now.
fn open_nofollow(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn key(metadata: &Metadata) -> Key {
    (metadata.dev(), metadata.ino())
}

fn read_start(file: &File, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}
