//! From the vendor's files to a credential.

use std::{collections::BTreeMap, path::Path};

use super::{
    directory::{Directory, Owner},
    error::CaptureError,
    extract::extract,
    location::Location,
    map::PartMap,
    parse,
};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::CaptureEntry,
};

/// What was found in a vendor's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The credential.
    pub credential: Credential,
    /// What is known about it.
    pub metadata: Metadata,
    /// The file that it was in, as the capture map names it.
    pub file: String,
}

/// Reads the first entry whose required parts are all there. `Ok(None)`: nothing yet.
///
/// What is in the directory may have been written by anybody: no link is followed, only plain files of the right owner
/// with one name and at most 1 MiB are read, and nothing outside is touched.
///
/// While the vendor's CLI is at work a file may be half written: [`CaptureError::Malformed`] then means "not yet",
/// and since half a YAML, TOML or dotenv file may well look like a whole one, a credential counts only when a second
/// read finds the same.
pub fn read(dir: &Path, entries: &[CaptureEntry], owner: Owner) -> Result<Option<Captured>, CaptureError> {
    let root = Directory::open(dir, owner)?;
    let mut contents = BTreeMap::new();
    for entry in entries {
        let map = PartMap::of(entry)?;
        let content = match contents.entry(entry.file.as_str()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(slot) => {
                let location = Location::of(&entry.file)?;
                let parent = location.parent(&root)?;
                let content = parent.map(|parent| parent.read(location.name, &location.shown)).transpose()?;
                slot.insert(content.flatten())
            }
        };
        let Some(content) = content else { continue };
        let document = parse(entry.format, content, &map.file)?;
        if let Some((credential, metadata)) = extract(&map, &document.view())? {
            return Ok(Some(Captured { credential, metadata, file: entry.file.clone() }));
        }
    }
    Ok(None)
}
