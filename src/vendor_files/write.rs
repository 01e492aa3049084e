//! Delivery of a credential into the vendor's files.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{directory::Directory, document, edit::Editor, error::CaptureError, replace::Staged};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{CaptureEntry, CaptureMapError, FilePath, Format, PartMap},
};

/// Writes a credential into the vendor's files in a directory of ours.
///
/// The credential goes into the file of the first entry for its kind; then `state` (`post_capture_state`) is merged
/// into its files. Other fields of an existing file are kept ([`super`] says how much of the layout). Parts that the
/// credential does not have are removed from the file, so that no token of another login stays beside the new ones. What
/// the file had beside the parts when it was read (`keep`) is written back.
/// Parts that are read from a JWT are not written: the JWT carries them.
///
/// Files get mode 0600 in directories of 0700. Each is synced under a temporary name and then renamed.
///
/// # Errors
/// [`CaptureError`], for example for a file that is a link, has a second hard link, or belongs to another user. If a
/// file is refused, nothing is written.
pub fn write(
    dir: &Path,
    entries: &[CaptureEntry],
    state: &BTreeMap<String, Value>,
    credential: &Credential,
    metadata: &Metadata,
) -> Result<(), CaptureError> {
    let kind = credential.kind();
    let entry = entries.iter().find(|entry| entry.holds_own(kind)).ok_or(CaptureError::NoEntry(kind))?;
    let map = PartMap::compile(entry)?;
    let root = Directory::open_private(dir)?;

    let mut editor = open(&root, &entry.file, entry.format)?;
    editor.put(&map, credential, metadata)?;
    let mut editors = vec![(entry.file.as_str(), editor)];
    for (file, value) in state {
        if !value.is_object() {
            return Err(CaptureMapError::new(file, "post_capture_state: not a map").into());
        }
        match editors.iter_mut().find(|(name, _)| name == file) {
            Some((_, editor)) => editor.merge(&[], value)?,
            None => {
                let mut editor = open(&root, file, format_of(file, entries))?;
                editor.merge(&[], value)?;
                editors.push((file, editor));
            }
        }
    }

    let mut staged = Vec::new();
    for (file, editor) in editors {
        staged.push(Staged::new(&root, FilePath::parse(file)?, &editor.finish()?)?);
    }
    staged.iter().try_for_each(Staged::check)?;
    staged.into_iter().try_for_each(Staged::commit)
}

/// Opens the existing file, or an empty one.
fn open(root: &Directory, file: &str, format: Format) -> Result<Editor, CaptureError> {
    let file = FilePath::parse(file)?;
    let content = root.read_below(&file)?.unwrap_or_default();
    let document = document::parse_file(format, &content, &file.display)?;
    Ok(Editor::new(file.display, format, document))
}

/// The format of a file that `post_capture_state` names: the format of an entry for the file, else by the file's
/// extension.
pub(super) fn format_of(file: &str, entries: &[CaptureEntry]) -> Format {
    if let Some(entry) = entries.iter().find(|entry| entry.file == file) {
        return entry.format;
    }
    match file.rsplit(['/', '.']).next() {
        Some("yaml" | "yml") => Format::Yaml,
        Some("toml") => Format::Toml,
        Some("env") => Format::Dotenv,
        _ => Format::Json,
    }
}
