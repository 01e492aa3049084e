//! Bounded reads of regular files.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use crate::redact;

/// Opens a regular file for reading, following links. Never blocks on a FIFO without a writer.
///
/// # Errors
/// The system's errors, and anything that is not a regular file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Reads a whole regular file of at most `limit` bytes.
///
/// # Errors
/// The errors of [`open_plain`], and a larger file.
pub fn read_plain(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_all(open_plain(path)?, limit)
}

/// Reads a configuration file of at most `limit` bytes, if no other user could have written it: we do as it says.
///
/// # Errors
/// The errors of [`read_plain`], and a file that belongs neither to us nor to root, or that everybody can write to.
pub fn read_own(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(path)?;
    let found = file.metadata()?;
    let (owner, us) = (found.uid(), rustix::process::geteuid().as_raw());
    let refuse = |reason: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    if owner != us && owner != 0 {
        return refuse(format!(
            "it belongs to user {owner}, not to user {us}: if its content is right, run `chown {us} {}`",
            redact::shell_quote(path)
        ));
    }
    // Group-writable is accepted: with umask 002 every user has a group of their own.
    if found.mode() & 0o002 != 0 {
        return refuse(format!(
            "everybody can write to it: if its content is right, run `chmod o-w {}`",
            redact::shell_quote(path)
        ));
    }
    read_all(file, limit)
}

fn read_all(file: File, limit: u64) -> io::Result<Vec<u8>> {
    // Allocated at once: a growing buffer would leave unwiped copies behind.
    let size = file.metadata()?.len().min(limit).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // The size in the metadata is no limit: some files are longer, and some grow.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Checks that a path is missing, and not merely behind a dangling link, for example to a disk that is not mounted.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] with the name of the dangling link.
pub fn check_absent(path: &Path) -> io::Result<()> {
    for part in path.ancestors() {
        match fs::symlink_metadata(part) {
            Ok(found) if found.is_symlink() && fs::metadata(part).is_err() => {
                let reason =
                    format!("{} is a link to a missing file or directory", redact::redact_path(part));
                return Err(io::Error::new(io::ErrorKind::NotFound, reason));
            }
            Ok(_) => break,
            Err(_) => {}
        }
    }
    Ok(())
}
