//! The grants of a token endpoint (RFC 6749, RFC 8693). The device grant is in `device`.

use url::Url;

use super::{Http, LoginParameters, OAuthError, TokenEndpoint, Tokens, form::Form};
use crate::{
    credential::Secret,
    provider::flow::{Flow, token_type},
};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The member of a token response that holds the access token (RFC 6749 section 5.1).
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// An authorization code and the values that bind it to its request (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Debug)]
pub struct AuthorizationCode {
    /// The code.
    pub code: Secret,
    /// The code verifier of the challenge that was in the authorization request.
    pub verifier: Secret,
    /// The redirect URI of the authorization request.
    pub redirect_uri: Url,
}

/// Exchanges a refresh token for the next access token (RFC 6749 section 6), once, with parameters of its login.
///
/// # Errors
/// [`OAuthError`]. See [`OAuthError::outcome_is_unknown`] before the same refresh token is used again.
pub async fn refresh(
    http: &Http,
    endpoint: &TokenEndpoint,
    refresh_token: &Secret,
    login: &LoginParameters,
) -> Result<Tokens, OAuthError> {
    let form = Form::grant("refresh_token")
        .with_scopes_and_parameters(&login.scopes, &login.parameters)
        .with("refresh_token", refresh_token.expose());
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}

/// Exchanges an authorization code for tokens, or for the API key that the vendor issues in place of them.
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_code(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    code: &AuthorizationCode,
) -> Result<Tokens, OAuthError> {
    // A vendor that names the parameter differently does not compare it, either.
    let redirect_uri = flow.redirect_parameter.is_none().then(|| code.redirect_uri.as_str());
    let form = Form::grant("authorization_code")
        .with_parameters(&flow.token_parameters)
        .with("code", code.code.expose())
        .with("code_verifier", code.verifier.expose())
        .with_some("redirect_uri", redirect_uri);
    endpoint.request_tokens(http, form, flow.api_key_field.as_deref().unwrap_or(ACCESS_TOKEN)).await
}

/// Gets a token for the client itself (RFC 6749 section 4.4).
///
/// # Errors
/// [`OAuthError`]
pub async fn client_credentials(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
) -> Result<Tokens, OAuthError> {
    let form = Form::grant("client_credentials").with_scopes_and_parameters(&flow.scopes, &flow.parameters);
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}

/// Exchanges a token for another (RFC 8693).
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_token(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    subject: &Secret,
) -> Result<Tokens, OAuthError> {
    let subject_type = token_type(flow.subject_token_type.as_deref().unwrap_or(ACCESS_TOKEN));
    let requested_type = flow.requested_token_type.as_deref().map(token_type);
    let form = Form::grant(TOKEN_EXCHANGE)
        .with_scopes_and_parameters(&flow.scopes, &flow.parameters)
        .with("subject_token", subject.expose())
        .with("subject_token_type", &subject_type)
        .with_some("requested_token_type", requested_type.as_deref());
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}
