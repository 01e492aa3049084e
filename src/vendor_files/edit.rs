//! Edits that put a credential into a document or remove one from it.

use std::collections::BTreeMap;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    choice::{Choice, Found},
    document::{self, Document, UnsupportedEdit, View},
    error::CaptureError,
    extract::{Documents, logins},
    part_value::{part_value, text_of},
};
use crate::{
    credential::{Credential, KEPT, Metadata, OAuth, Secret, wipe},
    provider::capture_map::{Convert, Field, Format, Part, PartMap, look_up, pointer_text},
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
        for keys in self.keys_for(map, credential, metadata)? {
            self.put_kept(map, credential, &keys)?;
            let view = self.document.view();
            let mut changes = Vec::new();
            for field in map.fields.iter() {
                let Some(written) = field.written() else { continue };
                for place in field.places.iter().filter(|place| !place.is_read_only()) {
                    let path = place.pointer.with(&keys).ok_or_else(|| self.incomplete(&Part::Host))?;
                    let existing = look_up(&view, &path).filter(|value| !value.is_null());
                    let is_first = std::ptr::eq(place, written);
                    let value =
                        is_first.then(|| part_value(field, place.convert, credential, metadata, existing));
                    let value = value.flatten();
                    if is_first && value.is_none() && field.required {
                        return Err(self.incomplete(&field.part));
                    }
                    if value.is_some() || existing.is_some() {
                        changes.push((path, value));
                    }
                }
            }
            drop(view);
            // Removals come first, because two parts may share a path.
            let (set, removed): (Vec<_>, Vec<_>) =
                changes.into_iter().partition(|(_, value)| value.is_some());
            removed.into_iter().for_each(|(path, _)| self.remove(path));
            for (path, value) in set {
                self.set(path, value.unwrap_or_default())?;
            }
            self.put_conditions(map, &keys)?;
        }
        Ok(())
    }

    /// The keys for the places of `*`: those that the credential itself names by the parts that are read from there, or
    /// else by its host, unless the map places that elsewhere; or those of the only login of the file.
    fn keys_for(
        &self,
        map: &PartMap,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<Vec<Vec<String>>, CaptureError> {
        let key = |level: usize| {
            let is_key = |at: &Field| at.key().is_some_and(|place| place.pointer.stars() == level);
            let part = match map.fields.iter().find(|field| is_key(field)) {
                Some(field) => &field.part,
                None if level > 1 || map.fields.iter().any(|field| field.part == Part::Host) => return None,
                None => &Part::Host,
            };
            text_of(part, credential, metadata).map(str::to_owned)
        };
        if let Some(keys) = (1..=map.stars()).map(key).collect() {
            return Ok(vec![keys]);
        }
        let view = self.document.view();
        let found = logins(map, &Documents { own: &view, others: BTreeMap::new() });
        match Choice::default().choose(&self.file, found)? {
            Found::One(login) => Ok(login.keys),
            Found::Others(_) => Err(self.incomplete(&Part::Host)),
        }
    }

    /// Puts back what the vendor's file had beside the parts.
    fn put_kept(
        &mut self,
        map: &PartMap,
        credential: &Credential,
        keys: &[String],
    ) -> Result<(), CaptureError> {
        let Credential::OAuth(OAuth { extra, .. }) = credential else { return Ok(()) };
        let path = map.keep.as_ref().and_then(|keep| keep.with(keys));
        let Some((path, kept)) = path.zip(extra.get(KEPT)) else { return Ok(()) };
        match serde_json::from_str(kept.expose()).map(View) {
            Ok(kept) => self.merge(&path, &kept),
            Err(_) => Ok(()),
        }
    }

    /// Removes every part of a login, and the maps that are empty without it.
    pub(super) fn remove_login(&mut self, map: &PartMap, keys: &[Vec<String>]) {
        for keys in keys {
            let parts = map.own_places().filter(|place| place.convert != Some(Convert::Key));
            let written = map.when.iter().filter(|condition| condition.replacement(None).is_some());
            let pointers = parts.map(|place| &place.pointer);
            let pointers = pointers.chain(written.map(|condition| &condition.pointer)).chain(&map.keep);
            for path in pointers.filter_map(|pointer| pointer.with(keys)) {
                if path.is_empty() {
                    let view = self.document.view();
                    view.as_object()
                        .into_iter()
                        .flatten()
                        .for_each(|(key, _)| self.remove(vec![key.clone()]));
                } else if look_up(&self.document.view(), &path).is_some() {
                    self.prune(path);
                }
            }
        }
    }

    /// Removes every string that equals one of these secrets, but not at these paths.
    pub(super) fn remove_copies(&mut self, secrets: &[&Secret], spared: &[Vec<String>]) {
        let mut paths = Vec::new();
        find_copies(&self.document.view(), &mut Vec::new(), secrets, &mut paths);
        paths.retain(|path| !spared.contains(path));
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

    /// Puts the values that a reader requires, and the defaults.
    fn put_conditions(&mut self, map: &PartMap, keys: &[String]) -> Result<(), CaptureError> {
        let view = self.document.view();
        let mut missing = Vec::new();
        for condition in &map.when {
            let path = condition.pointer.with(keys).ok_or_else(|| self.incomplete(&Part::Host))?;
            missing.extend(condition.replacement(look_up(&view, &path)).map(|value| (path, value.clone())));
        }
        for (pointer, value) in &map.defaults {
            let path = pointer.with(keys).ok_or_else(|| self.incomplete(&Part::Host))?;
            if look_up(&view, &path).is_none_or(Value::is_null) {
                missing.push((path, value.clone()));
            }
        }
        missing.into_iter().try_for_each(|(path, value)| self.set(path, value))
    }

    /// Merges a tree into the document: maps key by key; everything else is replaced.
    pub(super) fn merge(&mut self, path: &[String], value: &Value) -> Result<(), CaptureError> {
        match value {
            Value::Object(map) if !map.is_empty() => map.iter().try_for_each(|(key, value)| {
                let path: Vec<_> = path.iter().chain([key]).cloned().collect();
                self.merge(&path, value)
            }),
            Value::Object(_) if look_up(&self.document.view(), path).is_some_and(Value::is_object) => Ok(()),
            // Its spelling stays.
            _ if look_up(&self.document.view(), path) == Some(value) => Ok(()),
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
