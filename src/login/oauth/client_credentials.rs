//! The client credentials grant (RFC 6749 section 4.4), which involves no person.

use crate::{
    oauth::{Http, OAuthError, TokenEndpoint, Tokens, grant},
    provider::flow::Flow,
};

/// Gets a token for the client itself.
///
/// # Errors
/// [`OAuthError`]
pub async fn grant(http: &Http, flow: &Flow, endpoint: &TokenEndpoint) -> Result<Tokens, OAuthError> {
    grant::client_credentials(http, endpoint, flow).await
}
