//! The archives (tar) that an engine's API takes and gives.

use std::io::{self, Read as _};

use tar::EntryType;
use zeroize::Zeroizing;

use super::EngineError;
use crate::{redact::escape, vendor_files::Refusal};

/// Limit of the names that are listed.
const MAX_NAMES: usize = 40;

/// Packs files, given by path, content and mode, into an archive. `what` names the archive in the error.
///
/// # Errors
/// [`EngineError::Io`]
pub(super) fn pack<'a>(
    what: &str,
    mode: u32,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Vec<u8>, EngineError> {
    write(mode, files).map_err(|source| EngineError::Io { action: format!("pack {what}"), source })
}

fn write<'a>(mode: u32, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        tar.append_data(&mut header, path, bytes)?;
    }
    tar.into_inner()
}

/// Reads the only file of an archive that may be cut off after more than `limit` bytes of content.
///
/// # Errors
/// The system's error for an archive that is none, or that ends too soon.
pub(super) fn only_file(archive: &[u8], limit: u64) -> io::Result<Result<Zeroizing<Vec<u8>>, Refusal>> {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries()?.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous if entry.size() > limit => return Ok(Err(Refusal::Size)),
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Symlink | EntryType::Link => return Ok(Err(Refusal::Link)),
        _ => return Ok(Err(Refusal::NotAFile)),
    }
    let mut content = Zeroizing::new(vec![0; entry.size() as usize]);
    entry.read_exact(&mut content)?;
    Ok(Ok(content))
}

/// Lists the paths in the archive of a directory called `root`, escaped, as far as the archive goes.
pub(super) fn names(archive: &[u8], root: &str) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().into_iter().flatten().map_while(Result::ok);
    let path = |entry: tar::Entry<'_, &[u8]>| {
        let path = escape(&entry.path_bytes());
        // Podman leaves the directory's own name out.
        let below = path.strip_prefix(root).filter(|rest| rest.starts_with('/')).unwrap_or(&path);
        below.trim_start_matches('/').to_owned()
    };
    let mut found: Vec<String> =
        entries.map(path).filter(|path| !path.is_empty()).take(MAX_NAMES + 1).collect();
    found.sort();
    if found.len() > MAX_NAMES {
        found.truncate(MAX_NAMES - 1);
        found.push("...".to_owned());
    }
    found
}
