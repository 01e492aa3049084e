//! The grants of a token endpoint (RFC 6749, RFC 8693). The device grant is in `device`.

use super::{Http, OAuthError, TokenEndpoint, Tokens, form::Form};
use crate::credential::Secret;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The member of a token response that holds the access token (RFC 6749 section 5.1).
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// An authorization code and its code verifier (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Debug)]
pub struct AuthorizationCode {
    /// The code.
    pub code: Secret,
    /// The code verifier of the challenge that was in the authorization request.
    pub verifier: Secret,
    /// The redirect URI of the authorization request; `None` where the vendor does not compare it.
    pub redirect_uri: Option<url::Url>,
}

/// The subject of a token exchange (RFC 8693 section 2.1).
#[derive(Debug)]
pub struct SubjectToken<'a> {
    /// The token to exchange.
    pub token: &'a Secret,
    /// The URI of its type.
    pub token_type: &'a str,
    /// The URI of the type that is requested.
    pub requested_type: Option<&'a str>,
}

/// More parameters of a request: names and values.
pub type Parameters = std::collections::BTreeMap<String, String>;

/// Exchanges a refresh token for the next access token (RFC 6749 section 6), once. `scopes` may narrow what was granted;
/// empty asks for the scopes of the grant.
///
/// # Errors
/// [`OAuthError`]. See [`OAuthError::outcome_is_unknown`] before the same refresh token is used again.
pub async fn refresh(
    http: &Http,
    endpoint: &TokenEndpoint,
    refresh_token: &Secret,
    scopes: &[String],
) -> Result<Tokens, OAuthError> {
    let form = Form::grant("refresh_token").with("refresh_token", refresh_token.expose()).with_scopes(scopes);
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}

/// Exchanges an authorization code. `token_field` is the member of the response that holds the token: `access_token`,
/// except where the vendor issues something else.
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_code(
    http: &Http,
    endpoint: &TokenEndpoint,
    code: &AuthorizationCode,
    parameters: &Parameters,
    token_field: &str,
) -> Result<Tokens, OAuthError> {
    let form = Form::grant("authorization_code")
        .with_parameters(parameters)
        .with("code", code.code.expose())
        .with("code_verifier", code.verifier.expose())
        .with_some("redirect_uri", code.redirect_uri.as_ref().map(url::Url::as_str));
    endpoint.request_tokens(http, form, token_field).await
}

/// Gets a token for the client itself (RFC 6749 section 4.4).
///
/// # Errors
/// [`OAuthError`]
pub async fn client_credentials(
    http: &Http,
    endpoint: &TokenEndpoint,
    scopes: &[String],
    parameters: &Parameters,
) -> Result<Tokens, OAuthError> {
    let form = Form::grant("client_credentials").with_scopes(scopes).with_parameters(parameters);
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}

/// Exchanges a token for another (RFC 8693).
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_token(
    http: &Http,
    endpoint: &TokenEndpoint,
    subject: &SubjectToken<'_>,
    scopes: &[String],
    parameters: &Parameters,
) -> Result<Tokens, OAuthError> {
    let form = Form::grant(TOKEN_EXCHANGE)
        .with_scopes(scopes)
        .with_parameters(parameters)
        .with("subject_token", subject.token.expose())
        .with("subject_token_type", subject.token_type)
        .with_some("requested_token_type", subject.requested_type);
    endpoint.request_tokens(http, form, ACCESS_TOKEN).await
}
