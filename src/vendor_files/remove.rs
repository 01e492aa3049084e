//! Removal of a credential from the vendor's files.

use std::collections::BTreeMap;

use rustix::fs::{AtFlags, fsync, unlinkat};
use serde_json::Value;

use super::{
    directory::Directory,
    document,
    edit::Editor,
    error::CaptureError,
    extract::{Documents, Login, logins},
    read::{self, Captured, other_documents},
    replace::Staged,
    vendor_dir::VendorDir,
};
use crate::{
    credential::{Credential, Kind, Secret},
    provider::capture_map::{CaptureEntry, Part, PartMap},
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
pub fn remove<'a>(
    dir: impl Into<VendorDir<'a>>,
    entries: &'a [CaptureEntry],
    captured: &Captured,
) -> Result<Removed, CaptureError> {
    let dir = dir.into();
    let changed = || CaptureError::Changed { file: escape(captured.file.as_bytes()) };
    let entry = entries.get(captured.entry).ok_or_else(changed)?;
    let (root, file) = dir.open(&entry.file, Directory::open_private)?;
    let parent = root.open_parent(&file)?.ok_or_else(changed)?;
    let content = parent.read(&file)?.ok_or_else(changed)?;
    let document = document::parse_file(entry.format, &content, &file.display)?;
    let map = PartMap::compile(entry)?;
    let spared = {
        let view = document.view();
        let documents = Documents { own: &view, others: other_documents(dir, entries, &map) };
        let found = logins(&map, &documents).into_iter().find(|login| login.keys == captured.keys);
        let now =
            found.map_or(Ok(None), |login| read::captured(captured.entry, entry, &map, &view, login))?;
        if now.is_none_or(|now| now.credential != captured.credential) {
            return Err(changed());
        }
        spared(entries, captured, &view)?
    };
    let mut editor = Editor::new(file.display.clone(), entry.format, document);
    editor.remove_login(&map, &captured.keys);
    let secrets = secrets(&captured.credential);
    editor.remove_copies(&secrets, &spared);
    if contains_any(&editor.document.view(), &mut Vec::new(), &secrets, &spared) {
        return Err(CaptureError::CopiesRemain { file: file.display });
    }
    // The vendor's tool may have refreshed the login while the file was edited and synced.
    let check_unchanged = || match parent.read(&file)? {
        Some(now) if now == content => Ok(()),
        _ => Err(changed()),
    };
    if has_only(&editor.document.view(), &defaults(&map, &captured.keys)) {
        check_unchanged()?;
        unlinkat(&parent, file.name, AtFlags::empty()).map_err(CaptureError::io(&file.display, "remove"))?;
        fsync(&parent).map_err(CaptureError::io(&file.display, "write"))?;
        return Ok(Removed::File);
    }
    let edited = editor.finish()?;
    let staged = Staged::new(&root, file.clone(), &edited)?;
    check_unchanged()?;
    staged.commit()?;
    Ok(Removed::Fields)
}

/// The places of other logins in the same file. They may have the same secret, unless it is one that rotates.
fn spared(
    entries: &[CaptureEntry],
    captured: &Captured,
    view: &Value,
) -> Result<Vec<Vec<String>>, CaptureError> {
    let Captured { credential, metadata, provider, .. } = captured;
    let is_removed = |kind: Kind, login: &Login| {
        let label = |part| login.parts.label(&part);
        kind == credential.kind()
            && login.provider == *provider
            && label(Part::Account) == metadata.account.as_deref()
            && label(Part::Host) == metadata.host.as_deref()
    };
    let mut paths = Vec::new();
    let is_other = |entry: &&CaptureEntry| entry.file == captured.file && entry.unsupported.is_none();
    for entry in entries.iter().filter(is_other).filter(|_| credential.kind() != Kind::Oauth) {
        let map = PartMap::compile(entry)?;
        let documents = Documents { own: view, others: BTreeMap::new() };
        for login in logins(&map, &documents).iter().filter(|login| !is_removed(entry.kind, login)) {
            let places = login.keys.iter().flat_map(|keys| map.own_places().map(|at| at.pointer.with(keys)));
            paths.extend(places.flatten());
        }
    }
    Ok(paths)
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

/// Whether any string in a tree contains one of the secrets, but at the spared paths.
fn contains_any(value: &Value, path: &mut Vec<String>, secrets: &[&Secret], spared: &[Vec<String>]) -> bool {
    match value {
        Value::String(text) if !spared.contains(path) => {
            secrets.iter().map(|s| s.expose()).any(|s| s.len() >= MIN_SEARCHED && text.contains(s))
        }
        Value::Array(items) => items.iter().any(|item| contains_any(item, path, secrets, spared)),
        Value::Object(map) => map.iter().any(|(key, value)| {
            path.push(key.clone());
            let found = contains_any(value, path, secrets, spared);
            path.pop();
            found
        }),
        _ => false,
    }
}

/// The default values of the capture map, with their paths.
fn defaults(map: &PartMap, keys: &[Vec<String>]) -> Vec<(Vec<String>, Value)> {
    let defaults = map.defaults.iter();
    let paths =
        defaults.flat_map(|(pointer, value)| keys.iter().map(move |keys| (pointer.with(keys), value)));
    paths.filter_map(|(path, value)| Some((path?, value.clone()))).collect()
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
