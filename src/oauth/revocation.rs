//! Token revocation (RFC 7009).

use super::{Http, OAuthError, TokenEndpoint, form::Form};
use crate::credential::{Secret, wipe};

/// The type of a token that is revoked (RFC 7009 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHint {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
}

impl TokenHint {
    /// Returns the value of the parameter `token_type_hint`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl std::fmt::Display for TokenHint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
        })
    }
}

/// Revokes a token, as the client that it was issued to. A server treats an unknown token as revoked.
///
/// # Errors
/// [`OAuthError`]
pub async fn revoke(
    http: &Http,
    endpoint: &TokenEndpoint,
    token: &Secret,
    hint: TokenHint,
) -> Result<(), OAuthError> {
    let form = Form::default().with("token", token.expose()).with("token_type_hint", hint.as_str());
    if let Some(members) = endpoint.post(http, &endpoint.url, form).await? {
        wipe(members.into());
    }
    Ok(())
}
