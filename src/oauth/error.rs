//! What can go wrong between us and an authorization server.

use std::{io, path::PathBuf, time::Duration};

use super::{EndpointError, refusal};
use crate::config::ReferenceError;

/// Codes that a server may take back by itself: the same request can succeed later.
const PASSING: [&str; 4] = ["temporarily_unavailable", "slow_down", "authorization_pending", "server_error"];

/// Why there is no answer that can be used. Holds nothing of what was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// The server refused, in the words of RFC 6749 section 5.2 or its own.
    #[error("refused: {code}{}", described(.description))]
    Refused {
        /// The error code.
        code: String,
        /// What it says about it: printable, one line, at most 200 characters.
        description: Option<String>,
    },
    /// The request was certainly not sent: no address, no connection, no trusted certificate. Or it was one that changes
    /// nothing, and no whole answer came.
    #[error("{host} cannot be reached: {source}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        source: Cause,
    },
    /// The request was sent, and no whole answer came: whether it had an effect is not known.
    #[error("{host} was asked, and whether it did it is not known: {source}")]
    OutcomeUnknown {
        /// The host.
        host: String,
        /// Why.
        source: Cause,
    },
    /// The server says that it does nothing now.
    #[error("{host} does not serve requests now (status {status})")]
    Unavailable {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// For how long it does not want to be asked again (`Retry-After`, RFC 9110 section 10.2.3), at most an hour.
        retry_after: Option<Duration>,
    },
    /// An answer that is none.
    #[error("{host} gave no usable answer (status {status}): {what}")]
    BadReply {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with it; nothing of it.
        what: &'static str,
    },
    /// A server's description of itself is that of another.
    #[error("{expected} publishes the endpoints of another issuer, {found:?}")]
    Issuer {
        /// The issuer that was asked.
        expected: String,
        /// Whom it names.
        found: String,
    },
    /// A server has no endpoint that is needed.
    #[error("{issuer} publishes no {what}")]
    NoEndpoint {
        /// The issuer.
        issuer: String,
        /// What is missing.
        what: String,
    },
    /// What the descriptor refers to is not there.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// Not the address of an endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The certificates to trust cannot be read.
    #[error("cannot use the certificates in {}: {source}", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No request can be made at all.
    #[error("cannot make requests: {0}")]
    Setup(String),
}

/// What was underneath a failed request, in words: the URL and what was sent are not in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(crate) String);

impl OAuthError {
    /// A short word for it, for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            error if error.is_refusal() => "refused",
            Self::Reference(_) | Self::Endpoint(_) | Self::CaBundle { .. } => "configuration",
            Self::NoEndpoint { .. } | Self::Setup(_) => "configuration",
            _ => "server",
        }
    }

    /// A refusal that came another way than in the answer to a request, made fit to be shown.
    pub fn refused(code: &str, description: Option<&str>) -> Self {
        let (code, description) = refusal::shown(code, description);
        Self::Refused { code, description }
    }

    /// The server will say the same to the same request for ever: it has to be logged in again, or something has to be
    /// set differently.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if !PASSING.contains(&code.as_str()))
    }

    /// The server was there and has said no, in whatever form.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::BadReply { status, .. } => (400..500).contains(status),
            _ => false,
        }
    }

    /// The request may have had its effect, though there is no answer that can be used: what could be used only once
    /// (a rotating refresh token, a code) must not be sent again.
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } => true,
            // After 303 (RFC 9110 section 15.4.4) the answer to what was done is elsewhere.
            Self::BadReply { status, .. } => (200..300).contains(status) || *status == 303,
            _ => false,
        }
    }
}

fn described(description: &Option<String>) -> String {
    description.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
}
