//! What a process that was killed left beside the files that it was about to replace.

use std::{ffi::CStr, time::Duration};

use jiff::Timestamp;
use rustix::{
    fs::{AtFlags, Dir, FileType, statat, unlinkat},
    process::geteuid,
};

use super::directory::Directory;

/// Before the number of the process and one of its own.
const PREFIX: &str = ".authenticate-";
/// Nobody is still writing what is older.
const OLD: Duration = Duration::from_secs(3600);
/// How many names are looked at: a directory may hold millions.
const LOOKED_AT: usize = 10_000;

/// The name of the `count`th file that process `pid` is about to put in the place of another.
pub(super) fn name(pid: u32, count: u64) -> String {
    format!("{PREFIX}{pid}-{count}")
}

fn is_one(name: &CStr) -> bool {
    let numbers = name.to_str().ok().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(pid, count)| is_number(pid) && is_number(count))
}

/// Removes them. One that cannot be removed is in nobody's way.
pub(super) fn sweep(directory: &Directory) {
    let Ok(entries) = Dir::read_from(directory) else { return };
    let names = entries.take(LOOKED_AT).map_while(Result::ok).map(|entry| entry.file_name().to_owned());
    let found: Vec<_> = names.filter(|name| is_one(name)).collect();
    let now = Timestamp::now().as_second();
    for name in found {
        let Ok(stat) = statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let is_ours = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == geteuid().as_raw();
        if is_ours && now.saturating_sub(stat.st_mtime) > OLD.as_secs() as i64 {
            let _ = unlinkat(directory, &name, AtFlags::empty());
        }
    }
}
