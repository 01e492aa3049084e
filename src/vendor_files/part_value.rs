//! The value of each part of a credential, in the vendor's form.

use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::convert::{scopes_to, time_to};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{Convert, Field, Part},
};

/// Converts a part of the credential to the vendor's form. `None` if the credential does not have it.
pub(super) fn part_value(
    field: &Field,
    credential: &Credential,
    metadata: &Metadata,
    existing: Option<&Value>,
) -> Option<Value> {
    let text = match &field.part {
        // A file that must have an expiry gets 1970 for an unknown one, as vendors write it; it is read as unknown.
        Part::ExpiresAt => {
            let unknown = field.required.then_some(Timestamp::UNIX_EPOCH);
            return Some(time_to(metadata.expires_at.or(unknown)?, field.convert?, existing));
        }
        Part::Scopes => {
            let is_written = field.required || !metadata.scopes.is_empty();
            return is_written.then(|| scopes_to(&metadata.scopes, field.convert));
        }
        Part::Account => metadata.account.clone(),
        Part::Host => metadata.host.clone(),
        Part::Extra(name) => extra_value(credential, name),
        part => secret(credential, part).map(str::to_owned),
    }?;
    if field.convert == Some(Convert::Json) {
        let text = Zeroizing::new(text);
        // It was JSON when it was read. If something else has replaced it, it is written as a string.
        return serde_json::from_str(&text).ok().or_else(|| Some(text.as_str().into()));
    }
    Some(text.into())
}

/// The extra value or field of that name.
pub(super) fn extra_value(credential: &Credential, name: &str) -> Option<String> {
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
