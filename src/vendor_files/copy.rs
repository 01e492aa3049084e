//! Copies of the files of a container whose directory we do not see.

use std::{fs::File, io::Write as _, path::Path};

use rustix::{
    fs::{AtFlags, Mode, OFlags, openat, unlinkat},
    io::Errno,
};
use zeroize::Zeroizing;

use super::{
    directory::Directory,
    error::{CaptureError, Refusal},
};
use crate::provider::capture_map::FilePath;

/// Writes the copy of a file into the directory that `read` will look at; without `content`, removes an
/// earlier one.
///
/// # Errors
/// [`CaptureError::Refused`] with the refusal that took the place of the content, [`CaptureError::Io`],
/// [`CaptureError::Map`] for a name that is no path below the directory.
pub fn put_copy(
    dir: &Path,
    file: &str,
    content: Result<Option<Zeroizing<Vec<u8>>>, Refusal>,
) -> Result<(), CaptureError> {
    let file = FilePath::parse(file)?;
    let parent = Directory::open(dir)?.create_parent(&file)?;
    match unlinkat(&parent, file.name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(CaptureError::io(&file.display, "replace")(errno)),
    }
    let content = content.map_err(|problem| CaptureError::refused(&file.display, problem))?;
    let Some(content) = content else { return Ok(()) };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let created = openat(&parent, file.name, flags, Mode::RUSR | Mode::WUSR);
    let created = created.map_err(CaptureError::io(&file.display, "write"))?;
    File::from(created).write_all(&content).map_err(CaptureError::io(&file.display, "write"))
}
