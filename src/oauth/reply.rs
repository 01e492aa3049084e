//! What a token endpoint gives.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, basic::BasicTokenType};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::{
    credential::{Metadata, Secret, wipe},
    redact::is_invisible,
};

/// Tokens, as a server gave them (RFC 6749 section 5.1). What servers do differently is taken, too: no `token_type`,
/// numbers as text, scopes as a list or with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The access token; never empty.
    pub access_token: Secret,
    /// The refresh token; after a refresh, the next one, if it rotates.
    pub refresh_token: Option<Secret>,
    /// The OpenID Connect identity token.
    pub id_token: Option<Secret>,
    /// How long the access token works from now on.
    pub expires_in: Option<Duration>,
    /// The scopes that were granted; `None`: those that were asked for.
    pub scopes: Option<Vec<String>>,
    /// For example `Bearer`.
    pub token_type: Option<String>,
    /// The other text members of the reply, by name.
    pub extra: BTreeMap<String, Secret>,
}

impl Tokens {
    /// What they say of themselves in place of what was asked for or known before. How long they work counts from now on; an
    /// old end says nothing of them.
    pub fn described(&self, known: Metadata) -> Metadata {
        let lasts = self.expires_in.and_then(|lasts| SignedDuration::try_from(lasts).ok());
        Metadata {
            expires_at: lasts.and_then(|lasts| Timestamp::now().checked_add(lasts).ok()),
            scopes: self.scopes.clone().unwrap_or(known.scopes),
            ..known
        }
    }
}

/// A reply, for the `oauth2` crate, which wants its own types by reference.
#[derive(Debug)]
pub(super) struct Reply {
    texts: BTreeMap<String, Secret>,
    expires_in: Option<Duration>,
    scopes: Option<Vec<String>>,
    unused: AccessToken,
    kind: BasicTokenType,
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(read(serde_json::Map::deserialize(deserializer)?))
    }
}

impl Reply {
    /// The tokens, or what is wrong with them; there must be one in the member named.
    pub fn tokens(self, token_field: &str) -> Result<Tokens, &'static str> {
        let mut extra = self.texts;
        let mut take = |name: &str| extra.remove(name).filter(|value| !value.is_empty());
        let (access_token, refresh_token) = (take(token_field), take("refresh_token"));
        let (id_token, token_type) = (take("id_token"), take("token_type"));
        let access_token = access_token.ok_or("there is no access token in it")?;
        if ![&Some(&access_token), &refresh_token.as_ref(), &id_token.as_ref()]
            .into_iter()
            .flatten()
            .all(|t| is_token(t))
        {
            return Err("a token in it has characters that no token may have");
        }
        // What they are for is the vendor's to say, but nothing of theirs is to act on a terminal.
        extra.retain(|_, value| !value.expose().contains(char::is_control));
        Ok(Tokens {
            access_token,
            refresh_token,
            id_token,
            token_type: token_type.map(|kind| kind.expose().to_owned()),
            expires_in: self.expires_in,
            scopes: self.scopes,
            extra,
        })
    }
}

impl Serialize for Reply {
    /// The crate asks for it and never does it. Nothing of a token is written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl TokenResponse for Reply {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.unused
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

fn read(members: serde_json::Map<String, Value>) -> Reply {
    let mut texts = BTreeMap::new();
    let (mut expires_in, mut scopes) = (None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("expires_in", value) => expires_in = seconds(&value),
            ("scope" | "scopes", value) => {
                scopes = listed(&value).or(scopes);
                wipe(value);
            }
            (_, Value::String(text)) => {
                texts.insert(name, Secret::from(text));
            }
            (_, value) => wipe(value),
        }
    }
    Reply { texts, expires_in, scopes, unused: AccessToken::new(String::new()), kind: BasicTokenType::Bearer }
}

/// `VSCHAR` of RFC 6749, appendices A.12 and A.17, but for the space.
fn is_token(token: &Secret) -> bool {
    token.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

/// A number, or the text of one. What is none says as little as if it were left out; one below zero says that the token
/// has expired already.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if seconds.is_nan() {
        return None;
    }
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

fn listed(value: &Value) -> Option<Vec<String>> {
    let scopes: Vec<&str> = match value {
        Value::String(text) => text.split([' ', ',']).collect(),
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let is_scope =
        |scope: &&str| !scope.is_empty() && !scope.contains(|c: char| c.is_control() || is_invisible(c));
    Some(scopes.into_iter().filter(is_scope).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tokens(reply: Value) -> Result<Tokens, &'static str> {
        serde_json::from_value::<Reply>(reply).expect("an object").tokens("access_token")
    }

    #[test]
    fn a_reply_is_read_as_the_standard_has_it() {
        let tokens = tokens(json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r",
            "id_token": "i", "scope": "openid email", "account_id": "x", "nested": {"a": "b"},
        }))
        .expect("tokens");
        assert_eq!(tokens.access_token.expose(), "a");
        assert_eq!(tokens.refresh_token, Some("r".into()));
        assert_eq!(tokens.id_token, Some("i".into()));
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(tokens.scopes, Some(vec!["openid".into(), "email".into()]));
        assert_eq!(tokens.token_type.as_deref(), Some("Bearer"));
        assert_eq!(tokens.extra, BTreeMap::from([("account_id".into(), "x".into())]));
    }

    #[test]
    fn a_reply_is_read_as_servers_write_it() {
        let read =
            tokens(json!({"access_token": "a", "expires_in": "60", "scope": "repo,gist"})).expect("one");
        assert_eq!(read.expires_in, Some(Duration::from_secs(60)));
        assert_eq!(read.scopes, Some(vec!["repo".into(), "gist".into()]));
        assert_eq!(read.token_type, None);
        let read = tokens(json!({"access_token": "a", "expires_in": -1, "scope": ["x"]})).expect("one");
        assert_eq!((read.expires_in, read.scopes), (Some(Duration::ZERO), Some(vec!["x".into()])));
        let read = tokens(json!({"access_token": "a", "expires_in": 1e300, "scope": 7})).expect("one");
        assert_eq!((read.expires_in, read.scopes), (None, None));
        let read = tokens(json!({"access_token": "a", "scope": "a\u{1b}[2J b\n c"})).expect("one");
        assert_eq!(read.scopes, Some(vec!["c".into()]));
        for none in ["soon", "NaN", ""] {
            let read = tokens(json!({"access_token": "a", "expires_in": none})).expect("one");
            assert_eq!(read.expires_in, None, "{none}");
        }
    }

    #[test]
    fn without_an_access_token_there_are_no_tokens() {
        for reply in [json!({}), json!({"access_token": ""}), json!({"access_token": 7})] {
            assert_eq!(tokens(reply), Err("there is no access token in it"));
        }
    }

    #[test]
    fn what_could_act_on_a_terminal_is_no_token() {
        for bad in ["a\u{1b}[2J", "a\nb", "a b", "a\u{202e}b", "\u{e9}"] {
            for name in ["access_token", "refresh_token", "id_token"] {
                let mut reply = json!({"access_token": "a", "refresh_token": "r", "id_token": "i"});
                reply[name] = bad.into();
                assert_eq!(
                    tokens(reply),
                    Err("a token in it has characters that no token may have"),
                    "{bad:?}"
                );
            }
        }
        let read = tokens(json!({"access_token": "a", "x": "\u{1b}[2J", "y": "two words"})).expect("one");
        assert_eq!(read.extra, BTreeMap::from([("y".into(), "two words".into())]));
    }

    #[test]
    fn nothing_of_a_token_is_shown() {
        let reply: Reply =
            serde_json::from_value(json!({"access_token": "CANARY", "x": "CANARY"})).expect("a reply");
        assert!(!format!("{reply:?}").contains("CANARY"));
    }
}
