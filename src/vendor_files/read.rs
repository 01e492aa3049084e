//! Capture of a credential from the vendor's files.

use std::path::Path;

use super::{directory::Directory, document, error::CaptureError, extract::extract};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{CaptureEntry, FilePath, PartMap},
};

/// A credential read from a vendor's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The credential.
    pub credential: Credential,
    /// The metadata in the file.
    pub metadata: Metadata,
    /// The file, as the capture map names it.
    pub file: String,
}

/// Reads the credential of the first entry whose required parts are all present; `Ok(None)` if there is no such entry.
///
/// The directory is untrusted: no link is followed, and only regular files of ours, without a second hard
/// link and of at most 1 MiB are read.
///
/// While the vendor's CLI runs, a file may be half written: [`CaptureError::Malformed`] then means "not yet". Half a
/// YAML, TOML or dotenv file may look complete, so a caller should believe a credential only after a second read found
/// the same.
///
/// # Errors
/// [`CaptureError`] for the first file that is refused, malformed or ambiguous.
pub fn read(dir: &Path, entries: &[CaptureEntry]) -> Result<Option<Captured>, CaptureError> {
    let root = Directory::open(dir)?;
    for entry in entries {
        let map = PartMap::compile(entry)?;
        let Some(content) = root.read_below(&FilePath::parse(&entry.file)?)? else { continue };
        let document = document::parse_file(entry.format, &content, &map.file)?;
        if let Some((credential, metadata)) = extract(&map, &document.view())? {
            return Ok(Some(Captured { credential, metadata, file: entry.file.clone() }));
        }
    }
    Ok(None)
}
