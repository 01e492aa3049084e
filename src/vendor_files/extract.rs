//! Extraction of a credential from a document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    convert::{jwt_claim, label_from, scopes_from, time_from},
    error::CaptureError,
};
use crate::{
    credential::{Credential, Kind, Metadata, OAuth, Secret},
    provider::capture_map::{Convert, Field, Part, PartMap, look_up},
    redact::escape,
};

/// Limit of an account's name, in characters.
const MAX_ACCOUNT: usize = 200;
/// Limit of the keys that an error names.
const MAX_KEYS: usize = 8;

/// The parts of a credential found in a document.
#[derive(Default, PartialEq, Eq)]
struct Parts {
    /// All parts that are one text.
    texts: BTreeMap<Part, Secret>,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

/// Extracts the credential of a document, if all required parts are present.
pub(super) fn extract(map: &PartMap, view: &Value) -> Result<Option<(Credential, Metadata)>, CaptureError> {
    let stars = star_keys(map, view)?;
    let star = stars.first().map(String::as_str);
    let Some(parts) = Parts::find(map, view, star) else { return Ok(None) };
    parts.check(&map.file)?;
    Ok(parts.assemble(map.kind))
}

/// Finds the keys in the place of `*` under which all required parts are present. There are several only if a vendor
/// writes the same login more than once.
///
/// # Errors
/// [`CaptureError::Ambiguous`] if the keys hold different logins.
pub(super) fn star_keys(map: &PartMap, view: &Value) -> Result<Vec<String>, CaptureError> {
    let starred_fields = || map.fields.iter().filter(|field| field.pointer.has_star());
    let candidates: BTreeSet<&str> = starred_fields().flat_map(|field| field.pointer.keys(view)).collect();
    let complete = candidates.into_iter().filter_map(|key| {
        let is_there = starred_fields().any(|field| field.value(view, Some(key)).is_some());
        is_there.then(|| Parts::find(map, view, Some(key))).flatten().map(|parts| (key, parts))
    });
    let complete: Vec<(&str, Parts)> = complete.collect();
    let keys = complete.iter().map(|(key, _)| *key);
    match complete.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        true => Ok(keys.map(str::to_owned).collect()),
        false => Err(CaptureError::Ambiguous {
            file: map.file.clone(),
            keys: keys.take(MAX_KEYS).map(|key| escape(key.as_bytes())).collect(),
        }),
    }
}

impl Field {
    /// The value of this part, if the document has a usable one.
    fn value<'v>(&self, view: &'v Value, star: Option<&str>) -> Option<&'v Value> {
        let value = look_up(view, &self.pointer.with(star)?)?;
        let is_usable = match (&self.part, self.convert) {
            (_, Some(Convert::Key)) => true,
            (_, Some(Convert::JwtClaim | Convert::JwtExp)) => is_text(value),
            (Part::ExpiresAt | Part::Scopes, _) | (_, Some(Convert::Json)) => !value.is_null(),
            (Part::Account | Part::Host, _) => label_from(value).is_some(),
            _ => is_text(value),
        };
        is_usable.then_some(value)
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

impl Parts {
    fn find(map: &PartMap, view: &Value, star: Option<&str>) -> Option<Self> {
        let mut parts = Self::default();
        for field in &map.fields {
            match field.value(view, star) {
                Some(value) => parts.insert(field, value, star),
                None if field.required => return None,
                None => {}
            }
        }
        Some(parts)
    }

    fn insert(&mut self, field: &Field, value: &Value, star: Option<&str>) {
        let claim = (field.convert == Some(Convert::JwtClaim)).then(|| jwt_claim(value, &field.claim));
        let value = match &claim {
            None => value,
            Some(Some(claim)) => claim,
            Some(None) => return,
        };
        match (&field.part, field.convert) {
            (Part::ExpiresAt, Some(convert)) => self.expires_at = time_from(value, convert),
            (Part::Scopes, _) => self.scopes = scopes_from(value),
            (part, convert) => {
                let text = match convert {
                    Some(Convert::Key) => star.map(str::to_owned),
                    Some(Convert::Json) => Some(value.to_string()),
                    _ => label_from(value),
                };
                let text = match part {
                    Part::Account => text.map(|name| name.chars().take(MAX_ACCOUNT).collect()),
                    _ => text,
                };
                self.texts.extend(text.map(|text| (part.clone(), text.into())));
            }
        }
    }

    /// Refuses control characters, which would break out of a request header, an environment or a terminal line.
    /// Extra values are exempt: they go only back into the vendor's file.
    fn check(&self, file: &str) -> Result<(), CaptureError> {
        let texts = self.texts.iter().filter(|(part, _)| !matches!(part, Part::Extra(_)));
        let texts = texts.map(|(part, text)| (part, text.expose()));
        let scopes = self.scopes.iter().map(|scope| (&Part::Scopes, scope.as_str()));
        match texts.chain(scopes).find(|(_, text)| text.contains(char::is_control)) {
            Some((part, _)) => Err(CaptureError::Unusable { file: file.to_owned(), part: part.to_string() }),
            None => Ok(()),
        }
    }

    fn assemble(self, kind: Kind) -> Option<(Credential, Metadata)> {
        let Self { mut texts, scopes, expires_at } = self;
        let mut take = |part| texts.remove(&part);
        let mut label = |part| take(part).map(|text| text.expose().to_owned());
        let (account, host) = (label(Part::Account), label(Part::Host));
        let metadata = Metadata { account, host, scopes, expires_at, ..Metadata::default() };
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
                extra: extras(texts),
            }),
            Kind::Fields => {
                let fields = extras(texts);
                (!fields.is_empty()).then_some(Credential::Fields(fields))?
            }
        };
        Some((credential, metadata))
    }
}

fn extras(texts: BTreeMap<Part, Secret>) -> BTreeMap<String, Secret> {
    let named = |(part, secret)| match part {
        Part::Extra(name) => Some((name, secret)),
        _ => None,
    };
    texts.into_iter().filter_map(named).collect()
}
