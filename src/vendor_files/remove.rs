//! Removal of a credential from the vendor's files.

use std::path::Path;

use rustix::fs::{AtFlags, fsync, unlinkat};
use serde_json::Value;

use super::{
    directory::Directory,
    document,
    edit::Editor,
    error::CaptureError,
    extract::{extract, star_keys},
    read::Captured,
    replace::Staged,
};
use crate::{
    credential::{Credential, Secret},
    provider::capture_map::{CaptureEntry, FilePath, PartMap},
    redact::escape,
};

/// Secrets shorter than this are not searched for inside other values: they could be part of anything.
const MIN_SEARCHED: usize = 8;

/// The extent of a removal from a vendor's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The file held nothing else and was removed.
    File,
    /// The file holds other values, too: only the credential was removed.
    Fields,
}

/// Removes a captured credential from the file that it was read from. Removes the whole file if nothing is left but
/// the defaults of the capture map.
///
/// # Errors
/// [`CaptureError::Changed`] if the file no longer holds this credential, [`CaptureError::CopiesRemain`] if other values
/// contain its secret; otherwise the errors of `write`. On error the file is unchanged.
pub fn remove(dir: &Path, entries: &[CaptureEntry], captured: &Captured) -> Result<Removed, CaptureError> {
    let root = Directory::open_private(dir)?;
    let kind = captured.credential.kind();
    let own = entries.iter().filter(|entry| entry.file == captured.file && entry.kind == kind);
    for entry in own {
        let file = FilePath::parse(&entry.file)?;
        let display = file.display.clone();
        let Some(parent) = root.open_parent(&file)? else { continue };
        let Some(content) = parent.read(&file)? else { continue };
        let document = document::parse_file(entry.format, &content, &display)?;
        let map = PartMap::compile(entry)?;
        let view = document.view();
        match extract(&map, &view)? {
            Some((credential, _)) if credential == captured.credential => {}
            _ => continue,
        }
        let stars = star_keys(&map, &view)?;
        drop(view);
        let mut editor = Editor::new(display.clone(), entry.format, document);
        editor.remove_credential(&map, &stars);
        let secrets = secrets(&captured.credential);
        editor.remove_copies(&secrets);
        if contains_any(&editor.document.view(), &secrets) {
            return Err(CaptureError::CopiesRemain { file: display });
        }
        // The vendor's tool may have refreshed the login while the file was edited and synced.
        let check_unchanged = || match parent.read(&file)? {
            Some(now) if now == content => Ok(()),
            _ => Err(CaptureError::Changed { file: display.clone() }),
        };
        if has_only(&editor.document.view(), &defaults(&map, &stars)) {
            check_unchanged()?;
            unlinkat(&parent, file.name, AtFlags::empty()).map_err(CaptureError::io(&display, "remove"))?;
            fsync(&parent).map_err(CaptureError::io(&display, "write"))?;
            return Ok(Removed::File);
        }
        let edited = editor.finish()?;
        let staged = Staged::new(&root, file.clone(), &edited)?;
        check_unchanged()?;
        staged.commit()?;
        return Ok(Removed::Fields);
    }
    Err(CaptureError::Changed { file: escape(captured.file.as_bytes()) })
}

/// The values that must not stay. A vendor may keep copies of them where no map points.
fn secrets(credential: &Credential) -> Vec<&Secret> {
    match credential {
        Credential::Fields(fields) => fields.values().collect(),
        Credential::OAuth(oauth) => {
            [Some(&oauth.access_token), oauth.refresh_token.as_ref(), oauth.id_token.as_ref()]
                .into_iter()
                .flatten()
                .collect()
        }
        one => one.usable().into_iter().collect(),
    }
}

/// Whether any string in a tree contains one of the secrets.
fn contains_any(value: &Value, secrets: &[&Secret]) -> bool {
    match value {
        Value::String(text) => {
            secrets.iter().map(|s| s.expose()).any(|s| s.len() >= MIN_SEARCHED && text.contains(s))
        }
        Value::Array(items) => items.iter().any(|item| contains_any(item, secrets)),
        Value::Object(map) => map.values().any(|value| contains_any(value, secrets)),
        _ => false,
    }
}

/// The default values of the capture map, with their paths. A path may be there twice.
fn defaults(map: &PartMap, stars: &[String]) -> Vec<(Vec<String>, Value)> {
    let mut paths = Vec::new();
    for star in stars.iter().map(|star| Some(star.as_str())).chain([None]) {
        let defaults = map.defaults.iter();
        paths.extend(defaults.filter_map(|(pointer, value)| Some((pointer.with(star)?, value.clone()))));
    }
    paths
}

/// Whether a tree has only these values, nulls and empty maps.
fn has_only(tree: &Value, known: &[(Vec<String>, Value)]) -> bool {
    fn walk(value: &Value, path: &mut Vec<String>, known: &[(Vec<String>, Value)]) -> bool {
        if value.is_null() || known.iter().any(|(at, default)| at == path && default == value) {
            return true;
        }
        let Value::Object(map) = value else { return false };
        map.iter().all(|(key, value)| {
            path.push(key.clone());
            let all = walk(value, path, known);
            path.pop();
            all
        })
    }
    walk(tree, &mut Vec::new(), known)
}
