//! From a document to a credential.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    convert::{jwt_claim, label_from, scopes_from, time_from},
    error::CaptureError,
    map::{Field, Part, PartMap},
    names::escape,
    pointer::look_up,
};
use crate::{
    credential::{Credential, Kind, Metadata, OAuth, Secret},
    provider::capture_map::Convert,
};

/// How many characters are kept of an account's name.
const NAME_SHOWN: usize = 200;
/// How many keys an error names.
const KEYS_SHOWN: usize = 8;

/// What was found of a credential.
#[derive(Default, PartialEq, Eq)]
struct Parts {
    secrets: BTreeMap<Part, Secret>,
    metadata: Metadata,
}

/// The credential in a document, if all its required parts are there.
pub(super) fn extract(map: &PartMap, view: &Value) -> Result<Option<(Credential, Metadata)>, CaptureError> {
    let stars = star_keys(map, view)?;
    let star = stars.first().map(String::as_str);
    let Some(parts) = Parts::find(map, view, star) else { return Ok(None) };
    parts.check(&map.file)?;
    Ok(parts.assemble(map.kind))
}

/// The keys in the place of `*` under which the required parts are all there. Several only if all of them hold the
/// very same login, as a vendor may write it twice.
pub(super) fn star_keys(map: &PartMap, view: &Value) -> Result<Vec<String>, CaptureError> {
    let starred = || map.fields.iter().filter(|field| field.pointer.has_star());
    let candidates: BTreeSet<&str> = starred().flat_map(|field| field.pointer.keys(view)).collect();
    let mut whole = candidates.into_iter().filter_map(|key| {
        let is_there = starred().any(|field| field.value(view, Some(key)).is_some());
        is_there.then(|| Parts::find(map, view, Some(key))).flatten().map(|parts| (key, parts))
    });
    let Some((first, login)) = whole.next() else { return Ok(Vec::new()) };
    let (mut keys, mut all_same) = (vec![first], true);
    for (key, parts) in whole {
        keys.push(key);
        all_same &= parts == login;
    }
    match all_same {
        true => Ok(keys.into_iter().map(str::to_owned).collect()),
        false => Err(CaptureError::Ambiguous {
            file: map.file.clone(),
            keys: keys.iter().take(KEYS_SHOWN).map(|key| escape(key.as_bytes())).collect(),
        }),
    }
}

impl Field {
    /// The value where this part is, if there is one that counts.
    fn value<'v>(&self, view: &'v Value, star: Option<&str>) -> Option<&'v Value> {
        let value = look_up(view, &self.pointer.with(star)?)?;
        let counts = match (&self.part, self.convert) {
            (_, Some(Convert::Key)) => true,
            (_, Some(Convert::JwtClaim | Convert::JwtExp)) => is_text(value),
            (Part::ExpiresAt | Part::Scopes, _) | (_, Some(Convert::Json)) => !value.is_null(),
            (Part::Account | Part::Host, _) => label_from(value).is_some(),
            _ => is_text(value),
        };
        counts.then_some(value)
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
                Some(value) => parts.take(field, value, star),
                None if field.required => return None,
                None => {}
            }
        }
        Some(parts)
    }

    fn take(&mut self, field: &Field, value: &Value, star: Option<&str>) {
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
            (Part::Account, _) => self.metadata.account = label().map(short),
            (Part::Host, _) => self.metadata.host = label(),
            (part, _) => {
                if let Some(secret) = label() {
                    self.secrets.insert(part.clone(), secret.into());
                }
            }
        }
    }

    /// Refuses what would break the line of a request, an environment or a terminal that it ends up in. The vendor's
    /// own extra values go nowhere but back into the vendor's file.
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

/// A name is for people; nobody reads more of one.
fn short(name: String) -> String {
    name.chars().take(NAME_SHOWN).collect()
}

fn extras(secrets: BTreeMap<Part, Secret>) -> BTreeMap<String, Secret> {
    let named = |(part, secret)| match part {
        Part::Extra(name) => Some((name, secret)),
        _ => None,
    };
    secrets.into_iter().filter_map(named).collect()
}
