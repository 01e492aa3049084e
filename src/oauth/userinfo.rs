//! The `UserInfo` request: the owner of an access token.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Endpoint, Http, OAuthError};
use crate::credential::Secret;

/// Gets what the vendor says about the owner of an access token.
///
/// # Errors
/// [`OAuthError`]
pub async fn userinfo(http: &Http, url: &Endpoint, access_token: &Secret) -> Result<Value, OAuthError> {
    let bearer = Zeroizing::new(format!("Bearer {}", access_token.expose()));
    let mut bearer = HeaderValue::from_str(&bearer)
        .map_err(|_| OAuthError::Setup("the access token cannot be sent in a header".into()))?;
    bearer.set_sensitive(true);
    let headers = [(ACCEPT, HeaderValue::from_static("application/json")), (AUTHORIZATION, bearer)];
    let response = http.get(url, HeaderMap::from_iter(headers)).await?;
    let unusable = |what| OAuthError::BadReply { host: url.host(), status: response.status, what };
    match response.status {
        200 => serde_json::from_slice(&response.body).map_err(|_| unusable("it is not JSON")),
        _ => Err(unusable("it does not name the owner of the token")),
    }
}
