//! Taking a credential out of the vendor's files.

use std::path::Path;

use rustix::fs::{AtFlags, fsync, unlinkat};
use serde_json::Value;

use super::{
    directory::{Directory, Owner, failed},
    edit::Editor,
    error::CaptureError,
    extract::{extract, star_keys},
    location::Location,
    map::PartMap,
    parse,
    pointer::Pointer,
    read::Captured,
    replace::{Staged, check_private},
};
use crate::{
    credential::{Credential, Secret},
    provider::capture_map::CaptureEntry,
};

/// What became of a vendor's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It held nothing else, and is gone.
    File,
    /// It held other things, too: only the credential was taken out.
    Fields,
}

/// Takes the credential that was read out of the file that it was in. A file that then holds nothing but what the
/// capture map writes by itself is removed.
///
/// # Errors
/// [`CaptureError::Changed`] when the file does not hold this credential any more; otherwise as [`super::write`]. If
/// anything is refused the file is left as it is.
pub fn remove(dir: &Path, entries: &[CaptureEntry], captured: &Captured) -> Result<Removed, CaptureError> {
    let root = Directory::open(dir, Owner::us())?;
    check_private(&root, &super::names::escape(dir.as_os_str().as_encoded_bytes()))?;
    let kind = captured.credential.kind();
    let own = entries.iter().filter(|entry| entry.file == captured.file && entry.kind == kind);
    for entry in own {
        let location = Location::of(&entry.file)?;
        let shown = location.shown.clone();
        let Some(parent) = location.parent(&root)? else { continue };
        let Some(content) = parent.read(location.name, &shown)? else { continue };
        let document = parse(entry.format, &content, &shown)?;
        let map = PartMap::of(entry)?;
        let view = document.view();
        match extract(&map, &view)? {
            Some((credential, _)) if credential == captured.credential => {}
            _ => continue,
        }
        let stars = star_keys(&map, &view)?;
        drop(view);
        let mut editor = Editor::new(shown.clone(), entry.format, document);
        editor.remove_credential(&map, &stars);
        let secrets = secrets(&captured.credential);
        editor.remove_copies(&secrets);
        if holds(&editor.document.view(), &secrets) {
            return Err(CaptureError::NotAlone { file: shown });
        }
        if is_all(&editor.document.view(), &defaults(entry, &stars)) {
            unlinkat(&parent, location.name, AtFlags::empty()).map_err(|e| failed(&shown, "remove", e))?;
            fsync(&parent).map_err(|e| failed(&shown, "write", e))?;
            return Ok(Removed::File);
        }
        let content = editor.finish()?;
        Staged::new(&root, location, &content)?.commit()?;
        return Ok(Removed::Fields);
    }
    Err(CaptureError::Changed { file: super::names::escape(captured.file.as_bytes()) })
}

/// The values that must not stay: a vendor may keep them in a second place, which no map names.
fn secrets(credential: &Credential) -> Vec<&Secret> {
    match credential {
        Credential::ApiKey { key } => vec![key],
        Credential::Token { token } => vec![token],
        Credential::Basic { password, .. } => vec![password],
        Credential::Fields(fields) => fields.values().collect(),
        Credential::OAuth(oauth) => {
            [Some(&oauth.access_token), oauth.refresh_token.as_ref(), oauth.id_token.as_ref()]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

fn holds(value: &Value, secrets: &[&Secret]) -> bool {
    match value {
        // A short one may be part of anything.
        Value::String(text) => secrets.iter().any(|s| s.expose().len() >= 8 && text.contains(s.expose())),
        Value::Array(items) => items.iter().any(|item| holds(item, secrets)),
        Value::Object(map) => map.values().any(|value| holds(value, secrets)),
        _ => false,
    }
}

/// The paths that the capture map fills by itself, and with what.
fn defaults(entry: &CaptureEntry, stars: &[String]) -> Vec<(Vec<String>, Value)> {
    let mut paths = Vec::new();
    for (path, value) in &entry.defaults {
        let Ok(pointer) = Pointer::parse(path) else { continue };
        let stars: Vec<Option<&str>> = match pointer.has_star() {
            true => stars.iter().map(|star| Some(star.as_str())).collect(),
            false => vec![None],
        };
        paths.extend(stars.into_iter().filter_map(|star| Some((pointer.with(star)?, value.clone()))));
    }
    paths
}

/// Whether there is nothing in a tree but these, nulls and empty maps.
fn is_all(tree: &Value, known: &[(Vec<String>, Value)]) -> bool {
    fn walk(value: &Value, path: &mut Vec<String>, known: &[(Vec<String>, Value)]) -> bool {
        if value.is_null() || known.iter().any(|(at, what)| at == path && what == value) {
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
