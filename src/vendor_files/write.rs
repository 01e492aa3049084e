//! From a credential to the vendor's files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    directory::{Directory, Owner},
    document::Document,
    edit::Editor,
    error::CaptureError,
    location::Location,
    map::PartMap,
    names::escape,
    parse,
    replace::{Staged, check_private},
};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{CaptureEntry, Format},
};

/// Writes a credential into the vendor's files in a directory of ours, and returns the files written.
///
/// The first entry for the credential's kind is the one that is written; `state` (`post_capture_state`) is merged into
/// its files after that. Every other field of a file that is there is kept (see [`super`] for what of its layout). A
/// part that the credential does not have is taken out of the file, so that no token of another login stays beside the
/// new ones; parts that are read from a JWT are left to the JWT.
///
/// Files are 0600 in directories of 0700, on disk before they take their place in one step, and refused if they are
/// links, have a second name, or belong to somebody else. If anything is refused nothing is written.
pub fn write(
    dir: &Path,
    entries: &[CaptureEntry],
    state: &BTreeMap<String, Value>,
    credential: &Credential,
    metadata: &Metadata,
) -> Result<Vec<PathBuf>, CaptureError> {
    let kind = credential.kind();
    let entry = entries.iter().find(|entry| entry.kind == kind).ok_or(CaptureError::NoEntry(kind))?;
    let map = PartMap::of(entry)?;
    let root = Directory::open(dir, Owner::us())?;
    check_private(&root, &escape(dir.as_os_str().as_encoded_bytes()))?;

    let mut editor = open(&root, &entry.file, entry.format)?;
    editor.put(&map, entry, credential, metadata)?;
    let mut editors = vec![(entry.file.as_str(), editor)];
    for (file, value) in state {
        if !value.is_object() {
            let problem = "post_capture_state: not a map".to_owned();
            return Err(CaptureError::Map { file: escape(file.as_bytes()), problem });
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

    let mut contents = Vec::new();
    for (file, editor) in editors {
        contents.push((file, editor.finish()?));
    }
    let mut staged = Vec::new();
    for (file, content) in &contents {
        staged.push(Staged::new(&root, Location::of(file)?, content)?);
    }
    staged.iter().try_for_each(Staged::check)?;
    staged.into_iter().try_for_each(Staged::commit)?;
    Ok(contents.iter().map(|(file, _)| dir.join(file)).collect())
}

/// The file as it is, or an empty one.
fn open(root: &Directory, file: &str, format: Format) -> Result<Editor, CaptureError> {
    let location = Location::of(file)?;
    let parent = location.parent(root)?;
    let content = parent.map(|parent| parent.read(location.name, &location.shown)).transpose()?.flatten();
    let document = match &content {
        Some(content) => parse(format, content, &location.shown)?,
        None => Document::parse(format, "").map_err(|_| CaptureError::Malformed {
            file: location.shown.clone(),
            format,
            position: None,
        })?,
    };
    Ok(Editor::new(location.shown, format, document))
}

/// The format of a file that only `post_capture_state` names: that of an entry for it, else what its name says.
fn format_of(file: &str, entries: &[CaptureEntry]) -> Format {
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
