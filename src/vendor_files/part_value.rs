//! The value of each part of a credential, in the vendor's form.

use jiff::Timestamp;
use serde_json::Value;

use super::convert::{scopes_to, time_to};
use crate::{
    credential::{Credential, Metadata, OAuth, Secret},
    provider::capture_map::{Convert, Field, Part},
};

/// Converts a part of the credential to the vendor's form. `None` if the credential does not have it.
pub(super) fn part_value(
    field: &Field,
    convert: Option<Convert>,
    credential: &Credential,
    metadata: &Metadata,
    existing: Option<&Value>,
) -> Option<Value> {
    match &field.part {
        // A file that must have an expiry gets 1970 for an unknown one, as vendors write it; it is read as unknown.
        Part::ExpiresAt => {
            let unknown = field.required.then_some(Timestamp::UNIX_EPOCH);
            Some(time_to(metadata.expires_at.or(unknown)?, convert?, existing))
        }
        Part::Scopes => {
            let is_written = field.required || !metadata.scopes.is_empty();
            is_written.then(|| scopes_to(&metadata.scopes, convert))
        }
        part => {
            let text = text_of(part, credential, metadata)?;
            // It was JSON when it was read. If something else has replaced it, it is written as a string.
            let json = (convert == Some(Convert::Json)).then(|| serde_json::from_str(text).ok());
            Some(json.flatten().unwrap_or_else(|| text.into()))
        }
    }
}

/// The text of a part. `None` for expiry and scopes, and if the credential does not have the part.
pub(super) fn text_of<'c>(
    part: &Part,
    credential: &'c Credential,
    metadata: &'c Metadata,
) -> Option<&'c str> {
    let secret = match (part, credential) {
        (Part::Account, _) => return metadata.account.as_deref(),
        (Part::Plan, _) => return metadata.plan.as_deref(),
        (Part::Host, _) => return metadata.host.as_deref(),
        (Part::Username, Credential::Basic { username, .. }) => return Some(username),
        (Part::Extra(name), Credential::OAuth(OAuth { extra, .. }) | Credential::Fields(extra)) => {
            return extra.get(name).map(Secret::expose);
        }
        (Part::Key, Credential::ApiKey { key }) => key,
        (Part::Token, Credential::Token { token }) => token,
        (Part::Password, Credential::Basic { password, .. }) => password,
        (Part::AccessToken, Credential::OAuth(oauth)) => &oauth.access_token,
        (Part::RefreshToken, Credential::OAuth(oauth)) => oauth.refresh_token.as_ref()?,
        (Part::IdToken, Credential::OAuth(oauth)) => oauth.id_token.as_ref()?,
        _ => return None,
    };
    (!secret.is_empty()).then(|| secret.expose())
}
