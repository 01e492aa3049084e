//! The response of an endpoint: success, an OAuth error response, or neither.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    Endpoint, OAuthError, Tokens,
    error::{Cause, TokensInDoubt},
    error_response,
    http::HttpResponse,
};
use crate::credential::wipe;

/// The members that hold tokens.
const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

/// Returns the members of a successful response. `None` is an empty body, which answers a revocation (RFC 7009 section
/// 2.2).
pub(super) fn read(
    url: &Endpoint,
    response: &HttpResponse,
    sent: &[Zeroizing<String>],
) -> Result<Option<Map<String, Value>>, OAuthError> {
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    match (classify(url, response, json.as_ref(), sent), json) {
        (Ok(()), Some(Value::Object(members))) => Ok(Some(members)),
        (Err(unknown @ OAuthError::OutcomeUnknown { .. }), Some(Value::Object(members))) => {
            let rest = Tokens::read(members, TOKENS[0])
                .map_or_else(|(_, rest)| rest, |tokens| Some(Box::new(tokens)));
            let what = "it has a token, but its status is a failure";
            Err(rest.map_or(unknown, |rest| in_doubt(url, response.status, what, rest)))
        }
        (checked, json) => {
            json.into_iter().for_each(wipe);
            checked.map(|()| None)
        }
    }
}

/// Returns the error of a response that cannot be used, although there are tokens in it.
pub(super) fn in_doubt(url: &Endpoint, status: u16, what: &'static str, tokens: Box<Tokens>) -> OAuthError {
    OAuthError::TokensInDoubt { host: url.host(), status, what, tokens: TokensInDoubt(tokens) }
}

/// Returns the members of a response that must not be empty.
pub(super) fn required(
    url: &Endpoint,
    members: Option<Map<String, Value>>,
) -> Result<Map<String, Value>, OAuthError> {
    members.ok_or_else(|| OAuthError::BadReply { host: url.host(), status: 200, what: "it is empty" })
}

fn classify(
    url: &Endpoint,
    response: &HttpResponse,
    json: Option<&Value>,
    sent: &[Zeroizing<String>],
) -> Result<(), OAuthError> {
    let (host, status) = (url.host(), response.status);
    let unusable = |what| OAuthError::BadReply { host: url.host(), status, what };
    // A server that returns a token has not refused, whatever stands beside the token.
    let granted = |json: &&Value| (200..300).contains(&status) && has_any(json, &TOKENS[..1]);
    let error = json.filter(|json| !granted(json)).and_then(|json| error_response::read(json, sent));
    match (status, error) {
        (..200 | 300.., None) if json.is_some_and(|json| has_any(json, &TOKENS)) => {
            let source = Cause(format!("status {status}, but the response has a token"));
            Err(OAuthError::OutcomeUnknown { host, source })
        }
        (429 | 500 | 503, error) if !error.as_ref().is_some_and(asks_to_poll_again) => {
            Err(OAuthError::Unavailable { host, status, retry_after: response.retry_after })
        }
        // Some vendors send an error response with status 200.
        (_, Some(error)) => Err(error),
        (200..300, None) if json.is_some_and(Value::is_object) || is_blank(&response.body) => Ok(()),
        (200..300, None) => Err(unusable("it is not a JSON object")),
        (_, None) => Err(unusable("it is not a response of an authorization server")),
    }
}

/// Whether a device grant goes on (RFC 8628 section 3.5).
fn asks_to_poll_again(error: &OAuthError) -> bool {
    matches!(error, OAuthError::Refused { code, .. } if code == "slow_down" || code == "authorization_pending")
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Whether any of these members is a non-empty string.
fn has_any(json: &Value, names: &[&str]) -> bool {
    let holds = |name: &&str| json.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    names.iter().any(holds)
}
