//! Errors of requests to an authorization server.

use std::{fmt, io, path::PathBuf, time::Duration};

use super::{EndpointError, Tokens, error_response};
use crate::config::ReferenceError;

/// Error codes after which the same request can succeed later.
const TRANSIENT: [&str; 4] =
    ["temporarily_unavailable", "slow_down", "authorization_pending", "server_error"];

/// A request without a usable response. Holds nothing of what was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// An error response (RFC 6749 section 5.2).
    #[error("refused: {code}{}", described(.description))]
    Refused {
        /// The error code.
        code: String,
        /// The error description: printable, one line, at most 200 characters.
        description: Option<String>,
    },
    /// No connection: the request was certainly not sent. Also a request that changes nothing, without a complete
    /// response.
    #[error("cannot reach {host}: {source}")]
    Unreachable {
        /// The host.
        host: String,
        /// The cause.
        source: Cause,
    },
    /// A request that was sent and got no complete response: it may have taken effect.
    #[error("no complete response from {host}, so the outcome of the request is unknown: {source}")]
    OutcomeUnknown {
        /// The host.
        host: String,
        /// The cause.
        source: Cause,
    },
    /// A server that serves no requests at the moment.
    #[error("{host} is unavailable (status {status})")]
    Unavailable {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The server's `Retry-After` (RFC 9110 section 10.2.3), at most an hour.
        retry_after: Option<Duration>,
    },
    /// A response that cannot be used.
    #[error("unusable response from {host} (status {status}): {what}")]
    BadReply {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The problem, without quoting the response.
        what: &'static str,
    },
    /// A response with tokens that cannot be used as it is: they may have taken the place of a token that was sent.
    #[error("unusable response from {host} (status {status}): {what}")]
    TokensInDoubt {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The problem, without quoting the response.
        what: &'static str,
        /// The tokens.
        tokens: TokensInDoubt,
    },
    /// Metadata that names another issuer (RFC 8414 section 3.3).
    #[error("{expected} publishes the metadata of another issuer, {found:?}")]
    Issuer {
        /// The issuer that was asked.
        expected: String,
        /// The issuer in the metadata.
        found: String,
    },
    /// An endpoint that is needed and neither described nor published.
    #[error("{issuer} publishes no {what}")]
    NoEndpoint {
        /// The issuer.
        issuer: String,
        /// The kind of endpoint.
        what: String,
    },
    /// A secret that the descriptor refers to and that cannot be read.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// An invalid endpoint address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Trusted certificates that cannot be read.
    #[error("cannot use the certificates in {}: {source}", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No HTTP client, or a request that cannot be built.
    #[error("cannot make requests: {0}")]
    Setup(String),
}

/// The innermost cause of a failed request, in words; neither the URL nor what was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(crate) String);

/// The tokens of a response that cannot be used as it is. The access token may be empty.
pub struct TokensInDoubt(pub(crate) Box<Tokens>);

impl fmt::Debug for TokensInDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokensInDoubt(..)")
    }
}

impl OAuthError {
    /// Returns a short word for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            error if error.is_refusal() => "refused",
            Self::Reference(_) | Self::Endpoint(_) | Self::CaBundle { .. } => "configuration",
            Self::NoEndpoint { .. } | Self::Setup(_) => "configuration",
            _ => "server",
        }
    }

    /// Makes the error of an error response that arrived through the browser, with both texts fit to be shown.
    pub fn refused(code: &str, description: Option<&str>) -> Self {
        error_response::refused(code, description, &[])
    }

    /// Whether the same request can never succeed: the person has to log in again, or change the configuration.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if !TRANSIENT.contains(&code.as_str()))
    }

    /// Whether the server refused, with an error response or with a status of 400 to 499.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::BadReply { status, .. } => (400..500).contains(status),
            _ => false,
        }
    }

    /// Whether the request may have taken effect without a usable response: a value that works only once (a rotating
    /// refresh token, an authorization code) must not be sent again.
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } | Self::TokensInDoubt { .. } => true,
            // 303 (RFC 9110 section 15.4.4): the request was processed, and its result is elsewhere.
            Self::BadReply { status, .. } => (200..300).contains(status) || *status == 303,
            _ => false,
        }
    }
}

fn described(description: &Option<String>) -> String {
    description.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
}
