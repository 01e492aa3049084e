//! Capture of a credential from the vendor's files.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{
    choice::{Choice, Found, names},
    directory::Directory,
    document::{self, View},
    error::CaptureError,
    extract::{Documents, Login, are_true, kept, logins},
    vendor_dir::VendorDir,
    write::format_of,
};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{CaptureEntry, PartMap},
};

/// A credential read from a vendor's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The credential.
    pub credential: Credential,
    /// The metadata in the vendor's files.
    pub metadata: Metadata,
    /// The file, as the capture map names it.
    pub file: String,
    /// The provider that the credential is for, if the file names another one.
    pub provider: Option<String>,
    /// Whether the file has an expiry that is no time.
    pub has_unreadable_expiry: bool,
    /// The index of the entry in the capture map.
    pub(super) entry: usize,
    /// The keys in the places of `*`.
    pub(super) keys: Vec<Vec<String>>,
}

/// Reads the credential of the first entry whose required parts and values are all present; `Ok(None)` if there is no
/// such entry.
///
/// The directory is untrusted: no link is followed, and only regular files of ours, without a second hard
/// link and of at most 4 MiB are read.
///
/// While the vendor's CLI runs, a file may be half written: [`CaptureError::Malformed`] then means "not yet". Half a
/// YAML, TOML or dotenv file may look complete, so a caller should believe a credential only after a second read found
/// the same.
///
/// # Errors
/// [`CaptureError`] for the first file that is refused, malformed or ambiguous, and if there are only logins that were
/// not chosen or cannot be taken.
pub fn read<'a>(
    dir: impl Into<VendorDir<'a>>,
    entries: &'a [CaptureEntry],
    choice: &Choice,
) -> Result<Option<Captured>, CaptureError> {
    let dir = dir.into();
    let mut others = None;
    for (index, entry) in entries.iter().enumerate() {
        let map = PartMap::compile(entry)?;
        if let Some(why) = &entry.unsupported {
            if others.is_none() && is_there(dir, entry, &map) {
                return Err(CaptureError::Unsupported { file: map.file, why: why.clone() });
            }
            continue;
        }
        let (root, file) = dir.open(&entry.file, Directory::open)?;
        let Some(content) = root.read_below(&file)? else { continue };
        let document = document::parse_file(entry.format, &content, &map.file)?;
        let view = document.view();
        let documents = Documents { own: &view, others: other_documents(dir, entries, &map) };
        match choice.choose(&map.file, logins(&map, &documents))? {
            Found::One(login) => return captured(index, entry, &map, &view, login),
            Found::Others(names) if names.is_empty() => {}
            Found::Others(more) => {
                others.get_or_insert_with(|| (map.file.clone(), Vec::new())).1.extend(more)
            }
        }
    }
    others.map_or(Ok(None), |(file, found)| Err(CaptureError::NotChosen { file, logins: names(found) }))
}

/// Whether an unsupported login is there. A file that cannot be read, such as settings behind a link, tells nothing.
fn is_there(dir: VendorDir<'_>, entry: &CaptureEntry, map: &PartMap) -> bool {
    let content = content_of(dir, &entry.file);
    content.is_some_and(|content| {
        let document = || document::parse_file(entry.format, &content, &map.file).ok();
        map.when.is_empty() || document().is_some_and(|document| are_true(&map.when, &document.view()))
    })
}

fn content_of(dir: VendorDir<'_>, file: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (root, path) = dir.open(file, Directory::open).ok()?;
    root.read_below(&path).ok()?
}

/// Makes the credential of a login that was found.
pub(super) fn captured(
    entry: usize,
    CaptureEntry { file, .. }: &CaptureEntry,
    map: &PartMap,
    view: &View,
    login: Login,
) -> Result<Option<Captured>, CaptureError> {
    let Login { keys, provider, parts, .. } = login;
    parts.check(&map.file)?;
    let has_unreadable_expiry = parts.has_unreadable_expiry;
    let kept = keys.first().and_then(|keys| kept(map, view, keys));
    let assembled = parts.assemble(map.kind, kept);
    Ok(assembled.map(|(credential, metadata)| Captured {
        credential,
        metadata,
        file: file.clone(),
        provider,
        has_unreadable_expiry,
        entry,
        keys,
    }))
}

/// Reads the other files that the fields of an entry name. They only describe the login, so one that cannot be read is
/// as good as none.
pub(super) fn other_documents(
    dir: VendorDir<'_>,
    entries: &[CaptureEntry],
    map: &PartMap,
) -> BTreeMap<String, View> {
    let files = map.fields.iter().flat_map(|field| &field.places).filter_map(|place| place.file.as_ref());
    let read =
        |file: &str| document::parse_file(format_of(file, entries), &content_of(dir, file)?, file).ok();
    files.filter_map(|file| Some((file.clone(), read(file)?.view()))).collect()
}
