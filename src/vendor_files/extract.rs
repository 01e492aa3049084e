//! Extraction of credentials from a document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    convert::{jwt_claim, label_from, scopes_from, time_from},
    document::View,
    error::CaptureError,
};
use crate::{
    credential::{Credential, KEPT, Kind, Metadata, OAuth, Secret, wipe},
    provider::capture_map::{Condition, Convert, Field, FieldPlace, Part, PartMap, Pointer, look_up},
};

/// Limit of an account's name, in characters.
const MAX_ACCOUNT: usize = 200;

/// The documents that an entry is read from.
pub(super) struct Documents<'v> {
    pub(super) own: &'v Value,
    /// Other files of the same directory, by the names in the map. A missing one has no values.
    pub(super) others: BTreeMap<String, View>,
}

/// A login in a document.
#[derive(PartialEq, Eq)]
pub(super) struct Login {
    /// The keys in the places of `*`. There are several only if a vendor writes the same login more than once.
    pub(super) keys: Vec<Vec<String>>,
    /// The provider that it is for, if it is another one than the descriptor's.
    pub(super) provider: Option<String>,
    pub(super) parts: Parts,
    /// Whether the tool uses this one; `None` if the file does not tell.
    pub(super) is_active: Option<bool>,
    /// Whether the tool prefers its host to others.
    pub(super) is_preferred: bool,
}

/// The parts of a credential found in a document.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// All parts that are one text.
    texts: BTreeMap<Part, Secret>,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    pub(super) has_unreadable_expiry: bool,
}

/// Finds the logins of an entry: those with all required parts and values.
pub(super) fn logins(map: &PartMap, documents: &Documents<'_>) -> Vec<Login> {
    let view = documents.own;
    let pointers: Vec<_> = map.own_places().map(|place| &place.pointer).collect();
    let mut logins: Vec<Login> = Vec::new();
    for keys in combinations(&pointers, view) {
        let is_there = map.own_places().any(|place| place.look_up(documents, &keys).is_some());
        if !is_there || !map.when.iter().all(|condition| condition.is_true(view, &keys)) {
            continue;
        }
        let Some(parts) = Parts::find(map, documents, &keys) else { continue };
        let provider = map.provider.clone().map(|name| if name == "*" { last(&keys) } else { name });
        let active = map.active.iter().filter_map(|(part, pointer)| {
            let value = look_up(view, &pointer.with(&keys)?).and_then(label_from)?;
            Some(parts.texts.get(part).is_some_and(|text| text.expose() == value))
        });
        let is_active = active.reduce(|all, one| all && one);
        let is_preferred =
            map.preferred_host.is_some() && map.preferred_host.as_deref() == parts.label(&Part::Host);
        let login = Login { keys: vec![keys], provider, parts, is_active, is_preferred };
        match logins.last_mut() {
            Some(before) if before.parts == login.parts && before.provider == login.provider => {
                before.keys.extend(login.keys);
            }
            _ => logins.push(login),
        }
    }
    logins
}

fn last(keys: &[String]) -> String {
    keys.last().cloned().unwrap_or_default()
}

/// Whether the conditions are true of a document, with the same keys for all of them.
pub(super) fn are_true(conditions: &[Condition], view: &Value) -> bool {
    let pointers: Vec<_> = conditions.iter().map(|condition| &condition.pointer).collect();
    let keys = combinations(&pointers, view);
    keys.iter().any(|keys| conditions.iter().all(|condition| condition.is_true(view, keys)))
}

/// The keys that a document has in the places of `*`, by the paths with the most of them.
fn combinations(pointers: &[&Pointer], view: &Value) -> BTreeSet<Vec<String>> {
    let stars = pointers.iter().map(|pointer| pointer.stars()).max().unwrap_or_default();
    let longest = pointers.iter().filter(|pointer| pointer.stars() == stars);
    longest.flat_map(|pointer| pointer.keys(view)).collect()
}

impl FieldPlace {
    fn look_up<'v>(&self, documents: &'v Documents<'_>, keys: &[String]) -> Option<&'v Value> {
        let document = match &self.file {
            Some(file) => &**documents.others.get(file)?,
            None => documents.own,
        };
        look_up(document, &self.pointer.with(keys)?).filter(|value| !value.is_null())
    }

    /// The text of a part that is one.
    fn text(&self, part: &Part, value: &Value, keys: &[String]) -> Option<String> {
        let claim = (self.convert == Some(Convert::JwtClaim)).then(|| jwt_claim(value, &self.claim));
        let text = match (&claim, self.convert) {
            (_, Some(Convert::Key)) => keys.get(self.pointer.stars() - 1).cloned(),
            (_, Some(Convert::Json)) => Some(value.to_string()),
            (Some(claim), _) => label_from(claim.as_ref()?),
            (None, _) if matches!(part, Part::Account | Part::Plan | Part::Host) => label_from(value),
            (None, _) => value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned),
        }?;
        match &self.pattern {
            Some(pattern) => Some(pattern.captures(&text)?.get(1)?.as_str().to_owned()),
            None => Some(text),
        }
    }
}

impl Parts {
    fn find(map: &PartMap, documents: &Documents<'_>, keys: &[String]) -> Option<Self> {
        let mut parts = Self::default();
        for field in &map.fields {
            if !parts.insert(field, documents, keys) && field.required {
                return None;
            }
        }
        Some(parts)
    }

    /// Reads a part from the first place that has a usable value. Returns whether any place has one.
    fn insert(&mut self, field: &Field, documents: &Documents<'_>, keys: &[String]) -> bool {
        let mut is_there = false;
        for place in &field.places {
            let Some(value) = place.look_up(documents, keys) else { continue };
            match &field.part {
                Part::ExpiresAt => {
                    let time = place.convert.map_or(Ok(None), |convert| time_from(value, convert));
                    is_there = true;
                    self.has_unreadable_expiry = time.is_err();
                    self.expires_at = time.ok().flatten();
                    if self.expires_at.is_some() {
                        return true;
                    }
                }
                Part::Scopes => {
                    let claim =
                        (place.convert == Some(Convert::JwtClaim)).then(|| jwt_claim(value, &place.claim));
                    self.scopes = claim.map_or_else(
                        || scopes_from(value),
                        |claim| claim.iter().flat_map(scopes_from).collect(),
                    );
                    return true;
                }
                part => {
                    // A token without the claim is there, and so is a key that the pattern does not match.
                    is_there |= place.convert.is_some();
                    if let Some(text) = place.text(part, value, keys) {
                        let text = match part {
                            Part::Account | Part::Plan => text.chars().take(MAX_ACCOUNT).collect(),
                            _ => text,
                        };
                        self.texts.insert(part.clone(), text.into());
                        return true;
                    }
                }
            }
        }
        is_there
    }

    /// The text of a part that is no secret.
    pub(super) fn label(&self, part: &Part) -> Option<&str> {
        self.texts.get(part).map(Secret::expose)
    }

    /// Refuses control characters, which would break out of a request header, an environment or a terminal line.
    /// Extra values are exempt: they go only back into the vendor's file.
    pub(super) fn check(&self, file: &str) -> Result<(), CaptureError> {
        let texts = self.texts.iter().filter(|(part, _)| !matches!(part, Part::Extra(_)));
        let texts = texts.map(|(part, text)| (part, text.expose()));
        let scopes = self.scopes.iter().map(|scope| (&Part::Scopes, scope.as_str()));
        match texts.chain(scopes).find(|(_, text)| text.contains(char::is_control)) {
            Some((part, _)) => Err(CaptureError::Unusable { file: file.to_owned(), part: part.to_string() }),
            None => Ok(()),
        }
    }

    /// Makes the credential. `kept` are the values that the map does not name.
    pub(super) fn assemble(self, kind: Kind, kept: Option<Secret>) -> Option<(Credential, Metadata)> {
        let Self { mut texts, scopes, expires_at, .. } = self;
        let mut take = |part| texts.remove(&part);
        let mut label = |part| take(part).map(|text| text.expose().to_owned());
        let (account, plan, host) = (label(Part::Account), label(Part::Plan), label(Part::Host));
        let metadata = Metadata { account, plan, host, scopes, expires_at, ..Metadata::default() };
        let credential = match kind {
            Kind::ApiKey => Credential::ApiKey { key: take(Part::Key)? },
            Kind::Token => Credential::Token { token: take(Part::Token)? },
            Kind::Basic => Credential::Basic {
                username: take(Part::Username)?.expose().to_owned(),
                password: take(Part::Password)?,
            },
            Kind::Oauth => Credential::OAuth(OAuth {
                access_token: take(Part::AccessToken)?,
                refresh_token: take(Part::RefreshToken),
                id_token: take(Part::IdToken),
                extra: extras(texts).chain(kept.map(|kept| (KEPT.to_owned(), kept))).collect(),
            }),
            Kind::Fields => {
                let fields: BTreeMap<_, _> = extras(texts).collect();
                (!fields.is_empty()).then_some(Credential::Fields(fields))?
            }
        };
        Some((credential, metadata))
    }
}

fn extras(texts: BTreeMap<Part, Secret>) -> impl Iterator<Item = (String, Secret)> {
    texts.into_iter().filter_map(|(part, secret)| match part {
        Part::Extra(name) => Some((name, secret)),
        _ => None,
    })
}

/// The values in the login's own map that the capture map does not name, as JSON.
pub(super) fn kept(map: &PartMap, view: &Value, keys: &[String]) -> Option<Secret> {
    let root = map.keep.as_ref()?.with(keys)?;
    let mut tree = look_up(view, &root).filter(|value| value.is_object())?.clone();
    let places = map.own_places().map(|place| &place.pointer);
    let named = places.chain(map.when.iter().map(|condition| &condition.pointer));
    for path in named.filter_map(|pointer| pointer.with(keys)) {
        take(&mut tree, path.strip_prefix(&root[..]).unwrap_or_default());
    }
    let is_empty = tree.as_object().is_some_and(serde_json::Map::is_empty);
    let text = (!is_empty).then(|| Secret::new(tree.to_string()));
    wipe(tree);
    text
}

/// Removes the value at a path, and the maps above it that are then empty.
fn take(tree: &mut Value, path: &[String]) {
    let (Some(map), Some((first, rest))) = (tree.as_object_mut(), path.split_first()) else { return };
    let is_gone = rest.is_empty()
        || map.get_mut(first).is_some_and(|below| {
            take(below, rest);
            below.as_object().is_some_and(serde_json::Map::is_empty)
        });
    if is_gone {
        map.shift_remove(first).into_iter().for_each(wipe);
    }
}
