//! The typed credential and what is known about it without its secret.

pub mod address;
pub mod secret;

pub use address::{Address, DEFAULT, Name, NameError};
pub use secret::Secret;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::net::endpoint::Endpoint;

/// What begins like this among the extra values of a credential is ours: where a native login came from.
pub(crate) const LOGIN: &str = "login.";
/// The part of a native login that names the host of its token endpoint, which follows.
pub(crate) const LOGIN_AT: &str = "login.at:";
/// The part of a native login that has a revocation endpoint with it.
pub(crate) const REVOCATION: &str = "login.revocation_url";
/// The client that made it.
pub(crate) const LOGIN_CLIENT: &str = "login.client:";

/// A credential: the secret part, typed by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A long-lived key that is sent as it is.
    ApiKey {
        /// The key.
        key: Secret,
    },
    /// What an OAuth 2.0 login left (RFC 6749 section 5.1).
    OAuth(OAuth),
    /// A bearer token that cannot be refreshed.
    Token {
        /// The token.
        token: Secret,
    },
    /// User and password (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Named secret fields, for channels that need more than one.
    Fields(BTreeMap<String, Secret>),
}

/// The tokens of an OAuth login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// Sent with requests.
    pub access_token: Secret,
    /// Exchanged for the next access token; it may rotate.
    pub refresh_token: Option<Secret>,
    /// The OpenID Connect identity token, if there was one.
    pub id_token: Option<Secret>,
    /// The vendor's own values beside the tokens, by the names that the descriptor's capture map gives them.
    /// Kept with the secret, so that the vendor's file can be written again as it was.
    pub extra: BTreeMap<String, Secret>,
}

/// The kind of a credential, as stored, shown and named in descriptors.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Credential::ApiKey`]
    ApiKey,
    /// [`Credential::OAuth`]
    Oauth,
    /// [`Credential::Token`]
    Token,
    /// [`Credential::Basic`]
    Basic,
    /// [`Credential::Fields`]
    Fields,
}

impl Kind {
    /// The name as stored: `api_key`, `oauth`, `token`, `basic` or `fields`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Oauth => "oauth",
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Fields => "fields",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of a credential without its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Whose it is, as the vendor names it (an e-mail address, a user name).
    pub account: Option<String>,
    /// The only host that it may be sent to, where the provider has several.
    pub host: Option<String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// When the usable secret stops working.
    pub expires_at: Option<Timestamp>,
    /// Who keeps it alive.
    pub owner: Owner,
}

/// Who keeps a credential alive. A rotating token has one owner: who is not the owner never renews it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// We do.
    #[default]
    Us,
    /// The vendor's own tool, from whose files it was imported.
    Vendor,
}

impl Owner {
    /// `us` or `vendor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Vendor => "vendor",
        }
    }

    /// Whether we may renew and revoke it.
    pub fn is_us(&self) -> bool {
        *self == Self::Us
    }
}

/// A credential as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub address: Address,
    /// The secret part.
    pub credential: Credential,
    /// The rest.
    pub metadata: Metadata,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
    /// Counts up with each change; for compare-and-swap.
    pub version: i64,
}

/// Why stored bytes are not a credential. Says nothing of what they are.
#[derive(Debug, thiserror::Error)]
#[error("the stored value is not a credential: {0}")]
pub struct DecodeError(&'static str);

impl Credential {
    /// An API key.
    pub fn api_key(key: impl Into<Secret>) -> Self {
        Self::ApiKey { key: key.into() }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::OAuth(_) => Kind::Oauth,
            Self::Token { .. } => Kind::Token,
            Self::Basic { .. } => Kind::Basic,
            Self::Fields(_) => Kind::Fields,
        }
    }

    /// The one value that a request is authorised with: the key, the access token, the token or the password.
    /// `None` for [`Credential::Fields`] with more than one field, where there is no such value.
    pub fn usable(&self) -> Option<&Secret> {
        match self {
            Self::ApiKey { key } => Some(key),
            Self::OAuth(oauth) => Some(&oauth.access_token),
            Self::Token { token } => Some(token),
            Self::Basic { password, .. } => Some(password),
            Self::Fields(fields) if fields.len() == 1 => fields.values().next(),
            Self::Fields(_) => None,
        }
    }

    /// The names of its fields: those of `fields`, or `username` and `password`. None of other kinds.
    pub fn field_names(&self) -> Vec<String> {
        match self {
            Self::Fields(fields) => fields.keys().cloned().collect(),
            Self::Basic { .. } => vec!["username".to_owned(), "password".to_owned()],
            _ => Vec::new(),
        }
    }

    /// The value of a field that is not blank.
    pub fn field(&self, name: &str) -> Option<Secret> {
        let value = match (self, name) {
            (Self::Fields(fields), _) => fields.get(name)?.clone(),
            (Self::Basic { username, .. }, "username") => Secret::new(username.as_str()),
            (Self::Basic { password, .. }, "password") => password.clone(),
            _ => return None,
        };
        (!value.expose().trim().is_empty()).then_some(value)
    }

    /// The parts that are there and not blank, of kinds that have several: the tokens of `oauth` and where a native login
    /// came from, or the fields.
    pub fn parts(&self) -> Vec<String> {
        let Self::OAuth(oauth) = self else {
            return self.field_names().into_iter().filter(|name| self.field(name).is_some()).collect();
        };
        let tokens = [
            ("access_token", Some(&oauth.access_token)),
            ("refresh_token", oauth.refresh_token.as_ref()),
            ("id_token", oauth.id_token.as_ref()),
        ];
        let there = tokens.into_iter().filter(|(_, token)| token.is_some_and(|token| !token.is_empty()));
        let login = |name: &str| oauth.extra.get(&format!("{LOGIN}{name}")).map(Secret::expose);
        let mode = login("mode").map(|mode| format!("{LOGIN}{mode}"));
        // Where it can be revoked is told by these.
        let host = login("token_url").and_then(|url| Some(format!("{LOGIN_AT}{}", host_of(url)?)));
        let revocation = login("revocation_url").map(|_| REVOCATION.to_owned());
        let client = login("client_id").map(|id| format!("{LOGIN_CLIENT}{id}"));
        let names = there.map(|(name, _)| name.to_owned());
        names.chain(mode).chain(host).chain(revocation).chain(client).collect()
    }

    /// The stored form: a JSON object tagged with `type`, for example `{"type":"api_key","key":"…"}`.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let value = match self {
            Self::ApiKey { key } => json!({"type": "api_key", "key": key.expose()}),
            Self::OAuth(oauth) => {
                let mut map = Map::new();
                map.insert("type".into(), "oauth".into());
                map.insert("access_token".into(), oauth.access_token.expose().into());
                for (name, token) in [("refresh_token", &oauth.refresh_token), ("id_token", &oauth.id_token)]
                {
                    if let Some(token) = token {
                        map.insert(name.into(), token.expose().into());
                    }
                }
                if !oauth.extra.is_empty() {
                    map.insert("extra".into(), expose_all(&oauth.extra));
                }
                Value::Object(map)
            }
            Self::Token { token } => json!({"type": "token", "token": token.expose()}),
            Self::Basic { username, password } => {
                json!({"type": "basic", "username": username, "password": password.expose()})
            }
            Self::Fields(fields) => json!({"type": "fields", "fields": expose_all(fields)}),
        };
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut length = Length(0);
        let counted = serde_json::to_writer(&mut length, &value);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        // Nothing that could fail: its keys are text, and memory takes it.
        let _ = counted.and_then(|()| serde_json::to_writer(&mut *bytes, &value));
        wipe(value);
        bytes
    }

    /// Reads the stored form back.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| DecodeError("not of a known form"))?;
        Ok(match stored {
            Stored::ApiKey { key } => Self::ApiKey { key: key.into() },
            Stored::Oauth { access_token, refresh_token, id_token, extra } => Self::OAuth(OAuth {
                access_token: access_token.into(),
                refresh_token: refresh_token.map(Secret::from),
                id_token: id_token.map(Secret::from),
                extra: conceal_all(extra),
            }),
            Stored::Token { token } => Self::Token { token: token.into() },
            Stored::Basic { username, password } => Self::Basic { username, password: password.into() },
            Stored::Fields { fields } => Self::Fields(conceal_all(fields)),
        })
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Stored {
    ApiKey {
        key: String,
    },
    Oauth {
        access_token: String,
        refresh_token: Option<String>,
        id_token: Option<String>,
        #[serde(default)]
        extra: BTreeMap<String, String>,
    },
    Token {
        token: String,
    },
    Basic {
        username: String,
        password: String,
    },
    Fields {
        fields: BTreeMap<String, String>,
    },
}

fn host_of(url: &str) -> Option<String> {
    Some(url.parse::<Endpoint>().ok()?.host())
}

fn expose_all(fields: &BTreeMap<String, Secret>) -> Value {
    fields
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.expose())))
        .collect::<Map<_, _>>()
        .into()
}

fn conceal_all(fields: BTreeMap<String, String>) -> BTreeMap<String, Secret> {
    fields.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// How long what is written is.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Wipes every string of a JSON value that held secrets.
pub(crate) fn wipe(value: Value) {
    match value {
        Value::String(text) => drop(Zeroizing::new(text)),
        Value::Array(items) => items.into_iter().for_each(wipe),
        Value::Object(map) => map.into_iter().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> [Credential; 5] {
        let extra = BTreeMap::from([("account_id".to_owned(), Secret::new("s3cret-extra"))]);
        [
            Credential::api_key("s3cret"),
            Credential::OAuth(OAuth {
                access_token: "s3cret-a".into(),
                refresh_token: Some("s3cret-r".into()),
                id_token: None,
                extra,
            }),
            Credential::Token { token: "s3cret".into() },
            Credential::Basic { username: "me".into(), password: "s3cret".into() },
            Credential::Fields(BTreeMap::from([("bot_token".to_owned(), "s3cret".into())])),
        ]
    }

    #[test]
    fn every_kind_survives_being_stored() {
        for credential in one_of_each() {
            let stored = credential.encode();
            assert_eq!(Credential::decode(&stored).ok().as_ref(), Some(&credential));
            let value: Value = serde_json::from_slice(&stored).expect("json");
            assert_eq!(value["type"], credential.kind().as_str());
        }
    }

    #[test]
    fn an_api_key_is_stored_in_the_documented_form() {
        assert_eq!(&**Credential::api_key("k").encode(), br#"{"type":"api_key","key":"k"}"#);
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        for credential in one_of_each() {
            assert!(!format!("{credential:?}").contains("s3cret"));
        }
        let broken = Credential::decode(br#"{"type":"api_key","key":["s3cret"]}"#).expect_err("broken");
        assert!(!format!("{broken} {broken:?}").contains("s3cret"));
    }
}
