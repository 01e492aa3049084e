//! The grants by which a login gets its tokens at a token endpoint.

use oauth2::{AuthorizationCode, RedirectUrl, Scope};

use super::{
    Http, OAuthError, TokenEndpoint, Tokens,
    adapter::Secrets,
    reply::Reply,
    token::{tokens, tokens_in},
};
use crate::credential::Secret;

/// An authorization code, and what proves that it is ours (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Debug)]
pub struct Code {
    /// The code.
    pub code: Secret,
    /// The verifier of the challenge that the login started with.
    pub verifier: Secret,
    /// Where the browser came back to; `None` where the vendor does not want to be told again.
    pub redirect: Option<url::Url>,
}

/// What a token exchange is about (RFC 8693 section 2.1).
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The token that is given.
    pub subject: &'a Secret,
    /// Its kind, a URI.
    pub subject_type: &'a str,
    /// The kind that is wanted, a URI.
    pub requested_type: Option<&'a str>,
}

/// More parameters of a request: names and values.
pub type Parameters = std::collections::BTreeMap<String, String>;

/// Exchanges an authorization code. `token_field` is the reply's member that holds what is wanted: `access_token`, unless
/// the vendor gives something else.
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_code(
    http: &Http,
    endpoint: &TokenEndpoint,
    code: Code,
    parameters: &Parameters,
    token_field: &str,
) -> Result<Tokens, OAuthError> {
    let client = endpoint.client();
    let Code { code, verifier, redirect } = code;
    let secrets = [("code", &code), ("code_verifier", &verifier)];
    let adapter = endpoint.adapter(http, &secrets);
    let mut request = client.exchange_code(AuthorizationCode::new(String::new()));
    if let Some(redirect) = redirect {
        request = request.set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(redirect)));
    }
    for (name, value) in parameters {
        request = request.add_extra_param(name, value);
    }
    tokens_in(&endpoint.url, request.request_async(&adapter).await, token_field)
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
    let more = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    tokens(&endpoint.url, for_client(http, endpoint, scopes, more, &[]).await)
}

/// Exchanges a token for another (RFC 8693).
///
/// # Errors
/// [`OAuthError`]
pub async fn exchange_token(
    http: &Http,
    endpoint: &TokenEndpoint,
    exchange: &Exchange<'_>,
    scopes: &[String],
    parameters: &Parameters,
) -> Result<Tokens, OAuthError> {
    // The crate does not know this grant. Its name comes after that of the one it knows, and the last of two counts.
    let own = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", exchange.subject_type),
    ];
    let requested = exchange.requested_type.map(|kind| ("requested_token_type", kind));
    let more = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (more, secrets) = (more.chain(own).chain(requested), [("subject_token", exchange.subject)]);
    tokens(&endpoint.url, for_client(http, endpoint, scopes, more, &secrets).await)
}

async fn for_client<'a>(
    http: &Http,
    endpoint: &TokenEndpoint,
    scopes: &[String],
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    secrets: &Secrets<'_>,
) -> Result<Reply, oauth2::RequestTokenError<OAuthError, oauth2::basic::BasicErrorResponse>> {
    let client = endpoint.client();
    let adapter = endpoint.adapter(http, secrets);
    let mut request = client.exchange_client_credentials().add_scopes(scopes.iter().cloned().map(Scope::new));
    for (name, value) in parameters {
        request = request.add_extra_param(name, value);
    }
    request.request_async(&adapter).await
}
