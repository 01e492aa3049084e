//! The stored form of a credential.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    kinds::{Credential, OAuth},
    secret::Secret,
};

/// Stored bytes that are not a credential. The message holds none of them.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode a stored credential: {0}")]
pub struct DecodeError(&'static str);

type Text<'a> = Cow<'a, str>;
type Texts<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// The stored form: a JSON object tagged with `type`. It borrows the secrets that it writes.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Stored<'a> {
    ApiKey { key: Text<'a> },
    Oauth(StoredOAuth<'a>),
    Token { token: Text<'a> },
    Basic { username: Text<'a>, password: Text<'a> },
    Fields { fields: Texts<'a> },
}

#[derive(Serialize, Deserialize)]
struct StoredOAuth<'a> {
    access_token: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extra: Texts<'a>,
}

impl Credential {
    /// Encodes the credential as a JSON object tagged with `type`, for example `{"type":"api_key","key":"…"}`.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        to_json(&match self {
            Self::ApiKey { key } => Stored::ApiKey { key: expose(key) },
            Self::OAuth(oauth) => Stored::Oauth(StoredOAuth {
                access_token: expose(&oauth.access_token),
                refresh_token: oauth.refresh_token.as_ref().map(expose),
                id_token: oauth.id_token.as_ref().map(expose),
                extra: expose_all(&oauth.extra),
            }),
            Self::Token { token } => Stored::Token { token: expose(token) },
            Self::Basic { username, password } => {
                Stored::Basic { username: username.into(), password: expose(password) }
            }
            Self::Fields(fields) => Stored::Fields { fields: expose_all(fields) },
        })
    }

    /// Decodes the stored form.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Credential::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: Stored<'_> = serde_json::from_slice(bytes).map_err(|_| DecodeError("unknown form"))?;
        Ok(match stored {
            Stored::ApiKey { key } => Self::ApiKey { key: conceal(key) },
            Stored::Oauth(oauth) => Self::OAuth(OAuth {
                access_token: conceal(oauth.access_token),
                refresh_token: oauth.refresh_token.map(conceal),
                id_token: oauth.id_token.map(conceal),
                extra: conceal_all(oauth.extra),
            }),
            Stored::Token { token } => Self::Token { token: conceal(token) },
            Stored::Basic { username, password } => {
                Self::Basic { username: username.into_owned(), password: conceal(password) }
            }
            Stored::Fields { fields } => Self::Fields(conceal_all(fields)),
        })
    }
}

fn expose(secret: &Secret) -> Text<'_> {
    secret.expose().into()
}

fn expose_all(fields: &BTreeMap<String, Secret>) -> Texts<'_> {
    fields.iter().map(|(name, value)| (name.into(), expose(value))).collect()
}

fn conceal(text: Text<'_>) -> Secret {
    text.into_owned().into()
}

fn conceal_all(fields: Texts<'_>) -> BTreeMap<String, Secret> {
    fields.into_iter().map(|(name, value)| (name.into_owned(), conceal(value))).collect()
}

/// Writes a value that holds secrets as JSON. Its keys must be strings.
pub(crate) fn to_json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // Allocated at once: a growing buffer would leave unwiped copies behind.
    let mut length = Length(0);
    let counted = serde_json::to_writer(&mut length, value);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    // Cannot fail: all keys are strings, and the output is in memory.
    let _ = counted.and_then(|()| serde_json::to_writer(&mut *bytes, value));
    bytes
}

/// A writer that only counts bytes.
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

/// Overwrites every string in a JSON value that holds secrets, and drops it.
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
    fn decode_returns_every_kind_that_encode_writes() {
        for credential in one_of_each() {
            let stored = credential.encode();
            assert_eq!(Credential::decode(&stored).ok().as_ref(), Some(&credential));
            let value: Value = serde_json::from_slice(&stored).expect("json");
            assert_eq!(value["type"], credential.kind().as_str());
        }
    }

    #[test]
    fn encode_writes_the_documented_form_of_an_api_key() {
        assert_eq!(&**Credential::api_key("k").encode(), br#"{"type":"api_key","key":"k"}"#);
    }

    #[test]
    fn debug_and_decode_errors_hold_no_secret() {
        for credential in one_of_each() {
            assert!(!format!("{credential:?}").contains("s3cret"));
        }
        let broken = Credential::decode(br#"{"type":"api_key","key":["s3cret"]}"#).expect_err("broken");
        assert!(!format!("{broken} {broken:?}").contains("s3cret"));
    }
}
