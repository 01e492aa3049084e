//! Temporary files that a killed process left beside the files that it was about to replace.

use std::{ffi::CStr, time::Duration};

use rustix::{
    fs::{AtFlags, Dir, FileType, statat, unlinkat},
    process::geteuid,
};

use super::directory::Directory;

/// Start of the name of a temporary file; a process id and a counter follow.
const PREFIX: &str = ".authenticate-";
/// Age from which no process can still be writing a temporary file.
const MIN_AGE: Duration = Duration::from_secs(3600);
/// Limit of the names that are looked at: an untrusted directory may hold millions.
const MAX_ENTRIES: usize = 10_000;

/// The name of the `count`th temporary file of process `pid`.
pub(super) fn name(pid: u32, count: u64) -> String {
    format!("{PREFIX}{pid}-{count}")
}

fn is_temporary(name: &CStr) -> bool {
    let numbers = name.to_str().ok().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(pid, count)| is_number(pid) && is_number(count))
}

/// Removes old temporary files of ours. Errors are ignored: a file that stays does no harm.
pub(super) fn sweep(directory: &Directory) {
    let Ok(entries) = Dir::read_from(directory) else { return };
    let names = entries.take(MAX_ENTRIES).map_while(Result::ok).map(|entry| entry.file_name().to_owned());
    let found: Vec<_> = names.filter(|name| is_temporary(name)).collect();
    let now = crate::clock::now().as_second();
    for name in found {
        let Ok(stat) = statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let is_ours = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == geteuid().as_raw();
        if is_ours && now.saturating_sub(stat.st_mtime) > MIN_AGE.as_secs() as i64 {
            let _ = unlinkat(directory, &name, AtFlags::empty());
        }
    }
}
