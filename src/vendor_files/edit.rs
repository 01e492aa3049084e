//! From a credential to changes of a document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    convert::{scopes_to, time_to},
    document::{Document, UnsupportedEdit},
    error::CaptureError,
    extract::star_keys,
    map::{Field, Part, PartMap},
    pointer::{Pointer, look_up, pointer_text},
};
use crate::{
    credential::{Credential, Metadata, Secret, wipe},
    provider::capture_map::{CaptureEntry, Convert, Format},
};

/// Changes of one document, and what it must hold afterwards.
pub(super) struct Editor {
    pub(super) format: Format,
    /// The file's name, for messages.
    pub(super) file: String,
    pub(super) document: Document,
    done: BTreeMap<Vec<String>, Option<Value>>,
}

impl Editor {
    pub(super) fn new(file: String, format: Format, document: Document) -> Self {
        Self { format, file, document, done: BTreeMap::new() }
    }

    /// Puts every part of the credential where the map has it. A part that the credential does not have is taken
    /// away, so that nothing of another login stays beside this one. Then come the defaults.
    pub(super) fn put(
        &mut self,
        map: &PartMap,
        entry: &CaptureEntry,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<(), CaptureError> {
        let view = self.document.view();
        let stars: Vec<Option<String>> = match named_star(map, credential, metadata) {
            Some(key) => vec![Some(key)],
            None => match star_keys(map, &view)? {
                keys if keys.is_empty() => vec![None],
                keys => keys.into_iter().map(Some).collect(),
            },
        };
        let incomplete =
            |part: &Part| CaptureError::Incomplete { file: self.file.clone(), part: part.to_string() };
        let mut changes = Vec::new();
        for star in &stars {
            for field in map.fields.iter().filter(|field| !field.read_only()) {
                let path = field.pointer.with(star.as_deref()).ok_or_else(|| incomplete(&Part::Host))?;
                let existing = look_up(&view, &path).filter(|value| !value.is_null());
                let value = value_of(field, credential, metadata, existing);
                if value.is_none() && field.required {
                    return Err(incomplete(&field.part));
                }
                if value.is_some() || existing.is_some() {
                    changes.push((path, value));
                }
            }
        }
        drop(view);
        // First what goes: two parts may be at one path.
        let (come, go): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, value)| value.is_some());
        go.into_iter().for_each(|(path, _)| self.remove(path));
        for (path, value) in come {
            self.set(path, value.unwrap_or_default())?;
        }
        stars.iter().try_for_each(|star| self.put_defaults(entry, star.as_deref()))
    }

    /// Takes every part of the credential away, and the maps that are empty without it.
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

    /// Takes every text away that is one of these.
    pub(super) fn remove_copies(&mut self, secrets: &[&Secret]) {
        let mut paths = Vec::new();
        find(&self.document.view(), &mut Vec::new(), secrets, &mut paths);
        paths.into_iter().for_each(|path| self.prune(path));
    }

    /// Removes what is at a path, and the maps above it that are then empty.
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

    fn put_defaults(&mut self, entry: &CaptureEntry, star: Option<&str>) -> Result<(), CaptureError> {
        for (path, value) in &entry.defaults {
            let pointer = Pointer::parse(path).map_err(|problem| CaptureError::Map {
                file: self.file.clone(),
                problem: format!("defaults: {problem}"),
            })?;
            let path = pointer.with(star).ok_or_else(|| CaptureError::Incomplete {
                file: self.file.clone(),
                part: Part::Host.to_string(),
            })?;
            if look_up(&self.document.view(), &path).is_none_or(Value::is_null) {
                self.set(path, value.clone())?;
            }
        }
        Ok(())
    }

    /// Merges a tree into the document: maps key by key, everything else replaced.
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

    /// The new text, read back and found to hold every change.
    pub(super) fn finish(self) -> Result<Zeroizing<String>, CaptureError> {
        let whole = |problem| self.unwritable(&[], problem);
        let text = self.document.render().map_err(whole)?;
        let again =
            Document::parse(self.format, &text).map_err(|_| whole("the result cannot be read back"))?;
        let view = again.view();
        for (path, wanted) in &self.done {
            let found = look_up(&view, path);
            if !same(found, wanted.as_ref(), self.format) {
                return Err(self.unwritable(path, "it does not come back the same"));
            }
        }
        Ok(text)
    }

    fn set(&mut self, path: Vec<String>, value: Value) -> Result<(), CaptureError> {
        self.document.set(&path, value.clone()).map_err(|problem| self.unwritable(&path, problem))?;
        self.done.retain(|done, _| !path.starts_with(done) && !done.starts_with(&path));
        self.done.insert(path, Some(value));
        Ok(())
    }

    fn remove(&mut self, path: Vec<String>) {
        self.document.remove(&path);
        self.done.insert(path, None);
    }

    fn unwritable(&self, path: &[String], problem: UnsupportedEdit) -> CaptureError {
        CaptureError::Unwritable { file: self.file.clone(), path: pointer_text(path), problem }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        std::mem::take(&mut self.done).into_values().flatten().for_each(wipe);
    }
}

/// The paths of the texts in a tree that are one of these.
fn find(value: &Value, path: &mut Vec<String>, secrets: &[&Secret], found: &mut Vec<Vec<String>>) {
    match value {
        Value::String(text) if secrets.iter().any(|secret| secret.expose() == text) => {
            found.push(path.clone())
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                find(value, path, secrets, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// What the credential says to put in the place of `*`: the part that is read from there; else the host, unless the
/// file has that somewhere of its own.
fn named_star(map: &PartMap, credential: &Credential, metadata: &Metadata) -> Option<String> {
    let key = map.fields.iter().find(|field| field.convert == Some(Convert::Key));
    match key.map(|field| &field.part) {
        Some(Part::Account) => metadata.account.clone(),
        Some(Part::Extra(name)) => extra(credential, name),
        Some(_) => metadata.host.clone(),
        None if map.fields.iter().any(|field| field.part == Part::Host) => None,
        None => metadata.host.clone(),
    }
}

fn same(found: Option<&Value>, wanted: Option<&Value>, format: Format) -> bool {
    match (found, wanted) {
        (Some(Value::String(text)), Some(Value::Number(number))) if format == Format::Dotenv => {
            *text == number.to_string()
        }
        (Some(Value::String(text)), Some(Value::Bool(yes))) if format == Format::Dotenv => {
            *text == yes.to_string()
        }
        (found, wanted) => found == wanted,
    }
}

/// The vendor's value for a part of the credential, if it has that part.
fn value_of(
    field: &Field,
    credential: &Credential,
    metadata: &Metadata,
    existing: Option<&Value>,
) -> Option<Value> {
    let text = match &field.part {
        // Where the file must have one, an unknown time is written as vendors do, and read again as unknown.
        Part::ExpiresAt => {
            let unknown = field.required.then_some(Timestamp::UNIX_EPOCH);
            return Some(time_to(metadata.expires_at.or(unknown)?, field.convert?, existing));
        }
        Part::Scopes => {
            let there = field.required || !metadata.scopes.is_empty();
            return there.then(|| scopes_to(&metadata.scopes, field.convert));
        }
        Part::Account => metadata.account.clone(),
        Part::Host => metadata.host.clone(),
        Part::Extra(name) => extra(credential, name),
        part => secret(credential, part).map(str::to_owned),
    }?;
    if field.convert == Some(Convert::Json) {
        let text = Zeroizing::new(text);
        // It was JSON when it was read; if it is not any more, it goes in as the text that it is.
        return serde_json::from_str(&text).ok().or_else(|| Some(text.as_str().into()));
    }
    Some(text.into())
}

fn extra(credential: &Credential, name: &str) -> Option<String> {
    let extra = match credential {
        Credential::OAuth(oauth) => &oauth.extra,
        Credential::Fields(fields) => fields,
        _ => return None,
    };
    extra.get(name).map(|secret| secret.expose().to_owned())
}

fn secret<'c>(credential: &'c Credential, part: &Part) -> Option<&'c str> {
    let secret = match (credential, part) {
        (Credential::ApiKey { key }, Part::Key) => key,
        (Credential::Token { token }, Part::Token) => token,
        (Credential::Basic { username, .. }, Part::Username) => return Some(username),
        (Credential::Basic { password, .. }, Part::Password) => password,
        (Credential::OAuth(oauth), Part::AccessToken) => &oauth.access_token,
        (Credential::OAuth(oauth), Part::RefreshToken) => oauth.refresh_token.as_ref()?,
        (Credential::OAuth(oauth), Part::IdToken) => oauth.id_token.as_ref()?,
        _ => return None,
    };
    (!secret.is_empty()).then(|| secret.expose())
}
