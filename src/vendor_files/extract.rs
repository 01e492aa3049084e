//! Extraction of a credential from a document.

use std::collections::{BTreeMap, BTreeSet};

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
    secrets: BTreeMap<Part, Secret>,
    metadata: Metadata,
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
    let mut complete = candidates.into_iter().filter_map(|key| {
        let is_there = starred_fields().any(|field| field.value(view, Some(key)).is_some());
        is_there.then(|| Parts::find(map, view, Some(key))).flatten().map(|parts| (key, parts))
    });
    let Some((first, login)) = complete.next() else { return Ok(Vec::new()) };
    let (mut keys, mut all_same) = (vec![first], true);
    for (key, parts) in complete {
        keys.push(key);
        all_same &= parts == login;
    }
    match all_same {
        true => Ok(keys.into_iter().map(str::to_owned).collect()),
        false => Err(CaptureError::Ambiguous {
            file: map.file.clone(),
            keys: keys.iter().take(MAX_KEYS).map(|key| escape(key.as_bytes())).collect(),
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
        let label = || match field.convert {
            Some(Convert::Key) => star.map(str::to_owned),
            Some(Convert::JwtClaim) => label_from(&jwt_claim(value, &field.claim)?),
            Some(Convert::Json) => Some(value.to_string()),
            _ => label_from(value),
        };
        match (&field.part, field.convert) {
            (Part::ExpiresAt, Some(convert)) => self.metadata.expires_at = time_from(value, convert),
            (Part::Scopes, Some(Convert::JwtClaim)) => {
                self.metadata.scopes =
                    jwt_claim(value, &field.claim).as_ref().map(scopes_from).unwrap_or_default();
            }
            (Part::Scopes, _) => self.metadata.scopes = scopes_from(value),
            (Part::Account, _) => {
                self.metadata.account = label().map(|name| name.chars().take(MAX_ACCOUNT).collect())
            }
            (Part::Host, _) => self.metadata.host = label(),
            (part, _) => {
                if let Some(secret) = label() {
                    self.secrets.insert(part.clone(), secret.into());
                }
            }
        }
    }

    /// Refuses control characters, which would break out of a request header, an environment or a terminal line.
    /// Extra values are exempt: they go only back into the vendor's file.
    fn check(&self, file: &str) -> Result<(), CaptureError> {
        let secrets = self.secrets.iter().filter(|(part, _)| !matches!(part, Part::Extra(_)));
        let secrets = secrets.map(|(part, secret)| (part.clone(), secret.expose()));
        let Metadata { account, host, scopes, .. } = &self.metadata;
        let labels = [(Part::Account, account), (Part::Host, host)];
        let labels = labels.into_iter().filter_map(|(part, label)| Some((part, label.as_deref()?)));
        let scopes = scopes.iter().map(|scope| (Part::Scopes, scope.as_str()));
        match secrets.chain(labels).chain(scopes).find(|(_, text)| text.contains(char::is_control)) {
            Some((part, _)) => Err(CaptureError::Unusable { file: file.to_owned(), part: part.to_string() }),
            None => Ok(()),
        }
    }

    fn assemble(self, kind: Kind) -> Option<(Credential, Metadata)> {
        let Self { mut secrets, metadata } = self;
        let mut take = |part| secrets.remove(&part);
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
                extra: extras(secrets),
            }),
            Kind::Fields => {
                let fields = extras(secrets);
                (!fields.is_empty()).then_some(Credential::Fields(fields))?
            }
        };
        Some((credential, metadata))
    }
}

fn extras(secrets: BTreeMap<Part, Secret>) -> BTreeMap<String, Secret> {
    let named = |(part, secret)| match part {
        Part::Extra(name) => Some((name, secret)),
        _ => None,
    };
    secrets.into_iter().filter_map(named).collect()
}
