//! Token responses (RFC 6749 section 5.1), as the RFC and as servers write them.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{
    credential::{Metadata, OAuth, Secret, wipe},
    redact::is_invisible,
};

/// The tokens of a response. Deviations of servers are accepted: no `token_type`, numbers as strings, scopes as an array
/// or with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The tokens themselves. The access token is never empty; the refresh token is the successor of the one that was sent,
    /// if it rotates; `extra` has the other string members of the response, by name.
    pub credential: OAuth,
    /// The lifetime of the access token from now on.
    pub expires_in: Option<Duration>,
    /// The granted scopes; `None` if the server named none, for those that were requested.
    pub scopes: Option<Vec<String>>,
}

impl Tokens {
    /// Updates known metadata: the expiry, counted from now on, and the granted scopes.
    pub fn described(&self, known: Metadata) -> Metadata {
        let lifetime = self.expires_in.and_then(|lifetime| SignedDuration::try_from(lifetime).ok());
        Metadata {
            // An expiry of earlier tokens says nothing of these.
            expires_at: lifetime.and_then(|lifetime| crate::clock::now().checked_add(lifetime).ok()),
            scopes: self.scopes.clone().unwrap_or(known.scopes),
            ..known
        }
    }

    /// Takes the tokens from the members of a response. The error says what is wrong with it, and has the tokens that are
    /// well-formed, if there are any: its access token may then be empty.
    pub(super) fn read(
        members: Map<String, Value>,
        token_field: &str,
    ) -> Result<Self, (&'static str, Option<Box<Self>>)> {
        let mut extra = BTreeMap::new();
        let (mut expires_in, mut scopes) = (None, None);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("expires_in", value) => expires_in = seconds(&value),
                ("scope" | "scopes", value) => {
                    scopes = scope_list(&value).or(scopes);
                    wipe(value);
                }
                ("token_type", value) => wipe(value),
                (_, Value::String(text)) => {
                    extra.insert(name, Secret::from(text));
                }
                (_, value) => wipe(value),
            }
        }
        let mut take = |name: &str| extra.remove(name).filter(|value| !value.is_empty());
        let found = [take(token_field), take("refresh_token"), take("id_token")];
        let problem = match &found {
            [None, ..] => Some("there is no access token in it"),
            found if !found.iter().flatten().all(is_token) => {
                Some("a token in it has characters that no token may have")
            }
            _ => None,
        };
        let [access_token, refresh_token, id_token] = found.map(|token| token.filter(is_token));
        let has_any = access_token.is_some() || refresh_token.is_some();
        let access_token = access_token.unwrap_or_else(|| Secret::from(""));
        // The vendor decides their meaning, but none of them may act on a terminal.
        extra.retain(|_, value| !value.expose().contains(char::is_control));
        let credential = OAuth { access_token, refresh_token, id_token, extra };
        let tokens = Self { credential, expires_in, scopes };
        match problem {
            None => Ok(tokens),
            Some(what) => Err((what, has_any.then(|| Box::new(tokens)))),
        }
    }
}

/// Whether a token has only `VSCHAR` (RFC 6749, appendices A.12 and A.17), without the space.
fn is_token(token: &Secret) -> bool {
    token.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads a number, also as a string. An invalid one counts as absent, a negative one as expired already.
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

/// Reads the scopes. A server that names none has not said which were granted: a scope has at least one character
/// (RFC 6749 section 3.3).
fn scope_list(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let is_scope =
        |scope: &&str| !scope.is_empty() && !scope.contains(|c: char| c.is_control() || is_invisible(c));
    let scopes = texts.into_iter().flat_map(|text| text.split([' ', ','])).filter(is_scope);
    Some(scopes.map(str::to_owned).collect()).filter(|scopes: &Vec<_>| !scopes.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tokens(reply: Value) -> Result<Tokens, &'static str> {
        read(reply).map_err(|(what, _)| what)
    }

    fn read(reply: Value) -> Result<Tokens, (&'static str, Option<Box<Tokens>>)> {
        let Value::Object(members) = reply else { panic!("{reply}") };
        Tokens::read(members, "access_token")
    }

    #[test]
    fn response_of_the_rfcs_form_is_read() {
        let tokens = tokens(json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r",
            "id_token": "i", "scope": "openid email", "account_id": "x", "nested": {"a": "b"},
        }))
        .expect("tokens");
        assert_eq!(tokens.credential.access_token.expose(), "a");
        assert_eq!(tokens.credential.refresh_token, Some("r".into()));
        assert_eq!(tokens.credential.id_token, Some("i".into()));
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(tokens.scopes, Some(vec!["openid".into(), "email".into()]));
        assert_eq!(tokens.credential.extra, BTreeMap::from([("account_id".into(), "x".into())]));
    }

    #[test]
    fn response_with_usual_deviations_is_read() {
        let read =
            tokens(json!({"access_token": "a", "expires_in": "60", "scope": "repo,gist"})).expect("one");
        assert_eq!(read.expires_in, Some(Duration::from_secs(60)));
        assert_eq!(read.scopes, Some(vec!["repo".into(), "gist".into()]));
        let read = tokens(json!({"access_token": "a", "expires_in": -1, "scope": ["x"]})).expect("one");
        assert_eq!((read.expires_in, read.scopes), (Some(Duration::ZERO), Some(vec!["x".into()])));
        let read = tokens(json!({"access_token": "a", "expires_in": 1e300, "scope": 7})).expect("one");
        assert_eq!((read.expires_in, read.scopes), (None, None));
        let read = tokens(json!({"access_token": "a", "scope": "a\u{1b}[2J b\n c"})).expect("one");
        assert_eq!(read.scopes, Some(vec!["c".into()]));
        let read = tokens(json!({"access_token": "a", "scope": ["a b", "c,d"]})).expect("one");
        assert_eq!(read.scopes, Some(["a", "b", "c", "d"].map(str::to_owned).into()));
        for none in [json!(""), json!(" "), json!([]), json!([""]), json!(null)] {
            let read = tokens(json!({"access_token": "a", "scope": none})).expect("one");
            assert_eq!(read.scopes, None, "{none}");
        }
        for invalid in ["soon", "NaN", ""] {
            let read = tokens(json!({"access_token": "a", "expires_in": invalid})).expect("one");
            assert_eq!(read.expires_in, None, "{invalid}");
        }
    }

    #[test]
    fn response_without_an_access_token_is_unusable() {
        for reply in [json!({}), json!({"access_token": ""}), json!({"access_token": 7})] {
            assert_eq!(tokens(reply), Err("there is no access token in it"));
        }
    }

    #[test]
    fn token_with_control_characters_makes_the_response_unusable() {
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
        assert_eq!(read.credential.extra, BTreeMap::from([("y".into(), "two words".into())]));
    }

    #[test]
    fn well_formed_tokens_of_an_unusable_response_are_returned_with_its_problem() {
        for (reply, access, refresh) in [
            (json!({"refresh_token": "r"}), "", Some("r")),
            (json!({"access_token": "a b", "refresh_token": "r"}), "", Some("r")),
            (json!({"access_token": "a", "refresh_token": "r r"}), "a", None),
        ] {
            let (_, rest) = read(reply).expect_err("unusable");
            let tokens = rest.expect("tokens").credential;
            assert_eq!(tokens.access_token.expose(), access);
            assert_eq!(tokens.refresh_token.as_ref().map(Secret::expose), refresh);
        }
        assert_eq!(read(json!({"id_token": "i"})).expect_err("unusable").1, None);
    }

    #[test]
    fn tokens_in_debug_output_are_redacted() {
        let read = tokens(json!({"access_token": "CANARY", "x": "CANARY"})).expect("tokens");
        assert!(!format!("{read:?}").contains("CANARY"));
    }
}
