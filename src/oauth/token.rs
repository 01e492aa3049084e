//! The requests to token and revocation endpoints.

use oauth2::{
    Client, ClientId, EmptyExtraTokenFields, EndpointNotSet, EndpointSet, ErrorResponse, RequestTokenError,
    RevocableToken, RevocationUrl, Scope, StandardTokenIntrospectionResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicErrorResponseType, BasicTokenType},
};
use zeroize::Zeroizing;

use super::{
    Endpoint, Http, OAuthError, Tokens,
    adapter::{Adapter, Secrets},
    reply::Reply,
};
use crate::{credential::Secret, provider::descriptor::Body};

/// A token or revocation endpoint, and who we are there.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    /// Where.
    pub url: Endpoint,
    /// The client; empty where the vendor has none.
    pub client_id: String,
    /// Its secret, unless it is a public client.
    pub client_secret: Option<Secret>,
    /// How the secret is sent.
    pub client_auth: ClientAuth,
    /// The form of a request.
    pub body: Body,
}

/// How a client's secret is sent (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`, which every server must take.
    #[default]
    Basic,
    /// Among the parameters.
    Body,
}

/// What kind of token is revoked (RFC 7009 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHint {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
}

impl TokenHint {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// In words.
impl std::fmt::Display for TokenHint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
        })
    }
}

/// The crate's client with our replies.
pub(super) type OAuthClient<Revocation = EndpointNotSet, Token = EndpointNotSet> = Client<
    BasicErrorResponse,
    Reply,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    Revoked,
    BasicErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Revocation,
    Token,
>;

/// Exchanges a refresh token for the next access token (RFC 6749 section 6), once. With `scopes` fewer can be asked for
/// than were granted; empty asks for the same.
///
/// # Errors
/// [`OAuthError`]. See [`OAuthError::outcome_is_unknown`] before the same refresh token is used again.
pub async fn refresh(
    http: &Http,
    endpoint: &TokenEndpoint,
    refresh_token: &Secret,
    scopes: &[String],
) -> Result<Tokens, OAuthError> {
    let client = endpoint.client();
    let (token, secrets) = (oauth2::RefreshToken::new(String::new()), [("refresh_token", refresh_token)]);
    let adapter = endpoint.adapter(http, &secrets);
    let request = client.exchange_refresh_token(&token).add_scopes(scopes.iter().cloned().map(Scope::new));
    tokens(&endpoint.url, request.request_async(&adapter).await)
}

/// Tells the server that a token must not work any more (RFC 7009), as the client that it was given to. A token that the
/// server does not know is revoked already.
///
/// # Errors
/// [`OAuthError`]
pub async fn revoke(
    http: &Http,
    endpoint: &TokenEndpoint,
    token: &Secret,
    hint: TokenHint,
) -> Result<(), OAuthError> {
    // The crate takes https only, not even http on the loopback; where it is really sent is the adapter's to say.
    let mut https = endpoint.url.url().clone();
    let _ = https.set_scheme("https");
    let client = endpoint.client().set_revocation_url(RevocationUrl::from_url(https));
    let request = client.revoke_token(Revoked(hint)).map_err(|error| OAuthError::Setup(error.to_string()))?;
    let secrets = [("token", token)];
    let adapter = endpoint.adapter(http, &secrets);
    request.request_async(&adapter).await.map_err(|error| unwrapped(&endpoint.url, error))
}

/// A token that is to be revoked, as the crate knows it.
#[derive(Debug)]
pub(super) struct Revoked(TokenHint);

impl RevocableToken for Revoked {
    fn secret(&self) -> &str {
        ""
    }

    fn type_hint(&self) -> Option<&str> {
        Some(self.0.as_str())
    }
}

impl TokenEndpoint {
    pub(super) fn client(&self) -> OAuthClient<EndpointNotSet, EndpointSet> {
        OAuthClient::<EndpointNotSet>::new(ClientId::new(self.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.url.url().clone()))
    }

    pub(super) fn adapter<'a>(&'a self, http: &'a Http, secrets: &'a Secrets<'a>) -> Adapter<'a> {
        Adapter { http, url: &self.url, client: self, secrets }
    }
}

/// The tokens in the crate's result.
pub(super) fn tokens<E: Refusal>(
    endpoint: &Endpoint,
    reply: Result<Reply, RequestTokenError<OAuthError, E>>,
) -> Result<Tokens, OAuthError> {
    tokens_in(endpoint, reply, "access_token")
}

/// The same, where another member of the reply holds the token.
pub(super) fn tokens_in<E: Refusal>(
    endpoint: &Endpoint,
    reply: Result<Reply, RequestTokenError<OAuthError, E>>,
    token_field: &str,
) -> Result<Tokens, OAuthError> {
    let bad = |what| OAuthError::BadReply { host: endpoint.host(), status: 200, what };
    reply.map_err(|error| unwrapped(endpoint, error))?.tokens(token_field).map_err(bad)
}

/// A refusal as the crate has it.
pub(super) trait Refusal: ErrorResponse + 'static {
    fn code(&self) -> String;
    fn description(&self) -> Option<String>;
}

impl Refusal for BasicErrorResponse {
    fn code(&self) -> String {
        match self.error() {
            BasicErrorResponseType::Extension(code) => code.clone(),
            known => known.as_ref().to_owned(),
        }
    }

    fn description(&self) -> Option<String> {
        self.error_description().cloned()
    }
}

/// The crate's error as ours. Its own texts and the bodies that it holds go no further.
pub(super) fn unwrapped<E: Refusal>(
    endpoint: &Endpoint,
    error: RequestTokenError<OAuthError, E>,
) -> OAuthError {
    let bad = |what| OAuthError::BadReply { host: endpoint.host(), status: 200, what };
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(refusal) => {
            OAuthError::Refused { code: refusal.code(), description: refusal.description() }
        }
        RequestTokenError::Parse(_, body) => {
            drop(Zeroizing::new(body));
            bad("it is not of the form that the standard has")
        }
        RequestTokenError::Other(_) => bad("it is empty"),
    }
}
