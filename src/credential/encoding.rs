//! The stored form of a credential.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    kinds::{Credential, OAuth},
    secret::Secret,
};

/// Stored bytes that are not a credential. The message holds none of them.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode a stored credential: {0}")]
pub struct DecodeError(&'static str);

impl Credential {
    /// Encodes the credential as a JSON object tagged with `type`, for example `{"type":"api_key","key":"…"}`.
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
        // Allocated at once: a growing buffer would leave unwiped copies behind.
        let mut length = Length(0);
        let counted = serde_json::to_writer(&mut length, &value);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        // Cannot fail: all keys are strings, and the output is in memory.
        let _ = counted.and_then(|()| serde_json::to_writer(&mut *bytes, &value));
        wipe(value);
        bytes
    }

    /// Decodes the stored form.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Credential::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| DecodeError("unknown form"))?;
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

/// The stored form, for decoding.
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
