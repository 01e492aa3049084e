//! Edits that put a credential into a document or remove one from it.

use std::collections::BTreeMap;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    document::{self, Document, UnsupportedEdit},
    error::CaptureError,
    extract::star_keys,
    part_value::{part_value, text_of},
};
use crate::{
    credential::{Credential, Metadata, Secret, wipe},
    provider::capture_map::{Convert, Format, Part, PartMap, look_up, pointer_text},
};

/// An editor of one document, which verifies its changes at the end.
pub(super) struct Editor {
    pub(super) format: Format,
    /// The file's name, escaped for messages.
    pub(super) file: String,
    pub(super) document: Box<dyn Document>,
    /// The last change at each path; `None` is a removal.
    changes: BTreeMap<Vec<String>, Option<Value>>,
}

impl Editor {
    pub(super) fn new(file: String, format: Format, document: Box<dyn Document>) -> Self {
        Self { format, file, document, changes: BTreeMap::new() }
    }

    /// Puts every part of the credential at its place in the map, then the defaults. Removes parts that the credential
    /// does not have, so that no token of another login stays beside the new ones.
    pub(super) fn put(
        &mut self,
        map: &PartMap,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<(), CaptureError> {
        let view = self.document.view();
        let stars: Vec<Option<String>> = match star_of(map, credential, metadata) {
            Some(key) => vec![Some(key)],
            None => match star_keys(map, &view)? {
                keys if keys.is_empty() => vec![None],
                keys => keys.into_iter().map(Some).collect(),
            },
        };
        let mut changes = Vec::new();
        for star in &stars {
            for field in map.fields.iter().filter(|field| !field.is_read_only()) {
                let path = field.pointer.with(star.as_deref()).ok_or_else(|| self.incomplete(&Part::Host))?;
                let existing = look_up(&view, &path).filter(|value| !value.is_null());
                let value = part_value(field, credential, metadata, existing);
                if value.is_none() && field.required {
                    return Err(self.incomplete(&field.part));
                }
                if value.is_some() || existing.is_some() {
                    changes.push((path, value));
                }
            }
        }
        drop(view);
        // Removals come first, because two parts may share a path.
        let (set, removed): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, value)| value.is_some());
        removed.into_iter().for_each(|(path, _)| self.remove(path));
        for (path, value) in set {
            self.set(path, value.unwrap_or_default())?;
        }
        stars.iter().try_for_each(|star| self.put_defaults(map, star.as_deref()))
    }

    /// Removes every part of the credential, and the maps that are empty without it.
    pub(super) fn remove_credential(&mut self, map: &PartMap, stars: &[String]) {
        let stars: Vec<Option<&str>> = match stars {
            [] => vec![None],
            keys => keys.iter().map(|key| Some(key.as_str())).collect(),
        };
        for star in stars {
            for field in map.fields.iter().filter(|field| field.convert != Some(Convert::Key)) {
                let Some(path) = field.pointer.with(star) else { continue };
                if look_up(&self.document.view(), &path).is_some() {
                    self.prune(path);
                }
            }
        }
    }

    /// Removes every string that equals one of these secrets.
    pub(super) fn remove_copies(&mut self, secrets: &[&Secret]) {
        let mut paths = Vec::new();
        find_copies(&self.document.view(), &mut Vec::new(), secrets, &mut paths);
        paths.into_iter().for_each(|path| self.prune(path));
    }

    /// Removes the value at a path, and the maps above it that are then empty.
    fn prune(&mut self, mut path: Vec<String>) {
        while !path.is_empty() {
            self.remove(path.clone());
            path.pop();
            let view = self.document.view();
            let above = look_up(&view, &path).and_then(Value::as_object);
            if !above.is_some_and(serde_json::Map::is_empty) {
                break;
            }
        }
    }

    fn put_defaults(&mut self, map: &PartMap, star: Option<&str>) -> Result<(), CaptureError> {
        for (pointer, value) in &map.defaults {
            let path = pointer.with(star).ok_or_else(|| self.incomplete(&Part::Host))?;
            if look_up(&self.document.view(), &path).is_none_or(Value::is_null) {
                self.set(path, value.clone())?;
            }
        }
        Ok(())
    }

    /// Merges a tree into the document: maps key by key; everything else is replaced.
    pub(super) fn merge(&mut self, path: &[String], value: &Value) -> Result<(), CaptureError> {
        match value {
            Value::Object(map) if !map.is_empty() => map.iter().try_for_each(|(key, value)| {
                let path: Vec<_> = path.iter().chain([key]).cloned().collect();
                self.merge(&path, value)
            }),
            Value::Object(_) if look_up(&self.document.view(), path).is_some_and(Value::is_object) => Ok(()),
            _ => self.set(path.to_vec(), value.clone()),
        }
    }

    /// Renders the new text, and parses it again to verify that it holds every change.
    pub(super) fn finish(self) -> Result<Zeroizing<String>, CaptureError> {
        let whole = |problem| self.unwritable(&[], problem);
        let text = self.document.render().map_err(whole)?;
        let parsed = document::parse(self.format, &text).map_err(|_| whole("the result cannot be parsed"))?;
        let view = parsed.view();
        for (path, expected) in &self.changes {
            if !is_same(look_up(&view, path), expected.as_ref(), self.format) {
                return Err(self.unwritable(path, "the result has another value there"));
            }
        }
        Ok(text)
    }

    fn set(&mut self, path: Vec<String>, value: Value) -> Result<(), CaptureError> {
        self.document.set(&path, value.clone()).map_err(|problem| self.unwritable(&path, problem))?;
        self.changes.retain(|changed, _| !path.starts_with(changed) && !changed.starts_with(&path));
        self.changes.insert(path, Some(value));
        Ok(())
    }

    fn remove(&mut self, path: Vec<String>) {
        self.document.remove(&path);
        self.changes.insert(path, None);
    }

    fn incomplete(&self, part: &Part) -> CaptureError {
        CaptureError::Incomplete { file: self.file.clone(), part: part.to_string() }
    }

    fn unwritable(&self, path: &[String], problem: UnsupportedEdit) -> CaptureError {
        CaptureError::Unwritable { file: self.file.clone(), path: pointer_text(path), problem }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        std::mem::take(&mut self.changes).into_values().flatten().for_each(wipe);
    }
}

/// Collects the paths of the strings that equal one of these secrets.
fn find_copies(value: &Value, path: &mut Vec<String>, secrets: &[&Secret], found: &mut Vec<Vec<String>>) {
    match value {
        Value::String(text) if secrets.iter().any(|secret| secret.expose() == text) => {
            found.push(path.clone())
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                find_copies(value, path, secrets, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The key that the credential itself names for `*`: the part that is read from there, else the host, unless the map
/// places the host elsewhere.
fn star_of(map: &PartMap, credential: &Credential, metadata: &Metadata) -> Option<String> {
    let key = map.fields.iter().find(|field| field.convert == Some(Convert::Key));
    let part = match key {
        Some(field) => &field.part,
        None if map.fields.iter().any(|field| field.part == Part::Host) => return None,
        None => &Part::Host,
    };
    text_of(part, credential, metadata).map(str::to_owned)
}

fn is_same(found: Option<&Value>, expected: Option<&Value>, format: Format) -> bool {
    match (found, expected) {
        (Some(Value::String(text)), Some(Value::Number(number))) if format == Format::Dotenv => {
            *text == number.to_string()
        }
        (Some(Value::String(text)), Some(Value::Bool(yes))) if format == Format::Dotenv => {
            *text == yes.to_string()
        }
        (found, expected) => found == expected,
    }
}
