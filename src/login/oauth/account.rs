//! Whose login it is, as the vendor names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    credential::Secret,
    oauth::{Http, OAuthError, Tokens, userinfo::userinfo},
    provider::Descriptor,
};

/// Claims that name a person, as OpenID Connect has them.
const USUAL: [&str; 2] = ["email", "preferred_username"];
const MAX: usize = 256;

/// The account's name, as far as the reply with the tokens has it.
pub(in crate::login) fn from_reply(provider: &Descriptor, tokens: &Tokens) -> Option<String> {
    let place = provider.account.clone().unwrap_or_default();
    let given = || place.field.iter().find_map(|name| tokens.extra.get(name)).and_then(|v| clean(v.expose()));
    from_id_token(provider, tokens).or_else(|| if place.url.is_none() { given() } else { None })
}

/// The account's name that the vendor knows the owner of a token by, if the descriptor says where to ask.
pub(in crate::login) async fn from_userinfo(
    http: &Http,
    provider: &Descriptor,
    token: &Secret,
) -> Result<Option<String>, OAuthError> {
    let Some(place) = &provider.account else { return Ok(None) };
    let Some(url) = &place.url else { return Ok(None) };
    let told = userinfo(http, &url.parse()?, token).await?;
    Ok(first(&told, place.field.iter()))
}

/// The account's name that the identity token claims.
pub fn from_id_token(provider: &Descriptor, tokens: &Tokens) -> Option<String> {
    let claims = tokens.id_token.as_ref().and_then(claims)?;
    match provider.account.as_ref().filter(|place| !place.claim.is_empty()) {
        Some(place) => first(&claims, place.claim.iter()),
        None => first(&claims, USUAL.into_iter()),
    }
}

/// Who a JWT is about: its subject, and the issuer that calls it so. Names change, these do not (OpenID Connect Core sections
/// 5.7 and 12.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    issuer: Option<String>,
    /// The subject, fit to be shown.
    pub name: String,
}

impl Subject {
    /// Of a token; `None` if it does not say.
    pub fn of(token: &Secret) -> Option<Self> {
        let claims = claims(token)?;
        Some(Self {
            issuer: first(&claims, ["/iss"].into_iter()),
            name: first(&claims, ["/sub"].into_iter())?,
        })
    }
}

/// What an identity token claims. It came straight from the token endpoint, so its signature is not looked at (OpenID Connect
/// Core section 3.1.3.7).
fn claims(token: &Secret) -> Option<Value> {
    let payload = token.expose().split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

/// The first of some members, by name or by JSON Pointer.
fn first<'a>(value: &Value, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut found = names.filter_map(|name| match name.starts_with('/') {
        true => value.pointer(name),
        false => value.get(name),
    });
    found.find_map(|value| match value {
        Value::String(text) => clean(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn clean(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX).collect();
    (!text.is_empty()).then_some(text)
}
