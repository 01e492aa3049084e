//! The account of a login, as the vendor names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    credential::Secret,
    oauth::{Http, OAuthError, Tokens, userinfo::userinfo},
    provider::Descriptor,
};

/// The claims of OpenID Connect that name a person.
const DEFAULT_CLAIMS: [&str; 2] = ["email", "preferred_username"];
const MAX_NAME: usize = 256;

/// Returns the account's name, if the token response has it.
pub(in crate::login) fn from_reply(provider: &Descriptor, tokens: &Tokens) -> Option<String> {
    from_id_token(provider, tokens).or_else(|| {
        let account = provider.account.as_ref().filter(|account| account.url.is_none())?;
        let name = account.field.iter().find_map(|name| tokens.credential.extra.get(name))?;
        printable(name.expose())
    })
}

/// Asks the vendor for the name of a token's owner, if the descriptor says where.
pub(in crate::login) async fn from_userinfo(
    http: &Http,
    provider: &Descriptor,
    token: &Secret,
) -> Result<Option<String>, OAuthError> {
    let Some(account) = &provider.account else { return Ok(None) };
    let Some(url) = &account.url else { return Ok(None) };
    let info = userinfo(http, &url.parse()?, token).await?;
    Ok(first(&info, account.field.iter()))
}

/// Returns the account's name that the identity token claims.
pub fn from_id_token(provider: &Descriptor, tokens: &Tokens) -> Option<String> {
    let claims = tokens.credential.id_token.as_ref().and_then(claims)?;
    match provider.account.as_ref().filter(|account| !account.claim.is_empty()) {
        Some(account) => first(&claims, account.claim.iter()),
        None => first(&claims, DEFAULT_CLAIMS.into_iter()),
    }
}

/// The subject of a JWT with its issuer. Names change, this pair does not (OpenID Connect Core sections 5.7 and 12.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    issuer: Option<String>,
    /// The subject, fit to be shown.
    pub name: String,
}

impl Subject {
    /// Reads the subject of a token; `None` if it has none.
    pub fn of(token: &Secret) -> Option<Self> {
        let claims = claims(token)?;
        Some(Self {
            issuer: first(&claims, ["/iss"].into_iter()),
            name: first(&claims, ["/sub"].into_iter())?,
        })
    }
}

/// Reads the claims of an identity token. It came straight from the token endpoint, so its signature is not checked
/// (OpenID Connect Core section 3.1.3.7).
fn claims(token: &Secret) -> Option<Value> {
    let payload = token.expose().split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

/// Returns the first of some members that exists, each a name or a JSON Pointer.
fn first<'a>(value: &Value, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut found = names.filter_map(|name| match name.starts_with('/') {
        true => value.pointer(name),
        false => value.get(name),
    });
    found.find_map(|value| match value {
        Value::String(text) => printable(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn printable(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!text.is_empty()).then_some(text)
}
