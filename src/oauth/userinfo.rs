//! Asking a vendor whose an access token is.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Endpoint, Http, OAuthError};
use crate::credential::Secret;

/// What the vendor says about the owner of an access token.
///
/// # Errors
/// [`OAuthError`]
pub async fn userinfo(http: &Http, url: &Endpoint, access_token: &Secret) -> Result<Value, OAuthError> {
    let bearer = Zeroizing::new(format!("Bearer {}", access_token.expose()));
    let mut bearer = HeaderValue::from_str(&bearer)
        .map_err(|_| OAuthError::Setup("the access token does not fit into a request".into()))?;
    bearer.set_sensitive(true);
    let headers = [(ACCEPT, HeaderValue::from_static("application/json")), (AUTHORIZATION, bearer)];
    let answer = http.get(url, HeaderMap::from_iter(headers)).await?;
    let bad = |what| OAuthError::BadReply { host: url.host(), status: answer.status, what };
    match answer.status {
        200 => serde_json::from_slice(&answer.body).map_err(|_| bad("it is not JSON")),
        _ => Err(bad("it does not say whose the token is")),
    }
}
