//! Errors of refreshing a credential.

use jiff::Timestamp;

use super::RefreshLockError;
use crate::{
    config::ReferenceError,
    context::ConfigError,
    credential::{Address, Record},
    error_kind::ErrorKind,
    login::LoginError,
    oauth::OAuthError,
    store::StoreError,
};

/// An error of refreshing a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// There is no way to refresh the credential. Nothing was attempted.
    #[error("{address} cannot be refreshed: {why}")]
    NotRefreshable {
        /// The credential.
        address: Box<Address>,
        /// The reason.
        why: &'static str,
    },
    /// The vendor has rejected the refresh token for good, now or at an earlier attempt. Remembered until the next login.
    #[error("the vendor has rejected the refresh token of {address}: {why}")]
    Refused {
        /// The credential.
        address: Box<Address>,
        /// The vendor's error.
        why: String,
    },
    /// The refresh token was sent, and it is unknown whether the vendor accepted it. It is not sent again.
    #[error("the outcome of refreshing {address} at {} is unknown: {why}", since.strftime("%Y-%m-%d %H:%M:%S UTC"))]
    OutcomeUnknown {
        /// The credential.
        address: Box<Address>,
        /// The time of the attempt.
        since: Timestamp,
        /// The reason.
        why: String,
    },
    /// The vendor gave new tokens, and they could not be stored: this value is the only copy, and the vendor has consumed
    /// the refresh token that is stored.
    #[error("{address} was refreshed, but the new tokens could not be stored")]
    NotStored {
        /// The credential.
        address: Box<Address>,
        /// The credential with its new tokens. The access token works until it expires.
        fresh: Box<Record>,
        /// The failure of the store.
        source: Box<StoreError>,
    },
    /// The vendor gave tokens that do not fit the login: of another account, without a right that it has, or in an unusable
    /// response. They are kept beside the old ones, see [`Client::accept_refresh`](crate::Client::accept_refresh).
    #[error("the vendor's new tokens for {address} were set aside: {why}")]
    SetAside {
        /// The credential.
        address: Box<Address>,
        /// The reason.
        why: String,
    },
    /// There are no tokens to accept. Nothing was attempted.
    #[error("no tokens were set aside for {address}")]
    NothingSetAside {
        /// The credential.
        address: Box<Address>,
    },
    /// The vendor refused the request, for another reason than that the login has ended. The refresh token is still valid, as
    /// far as is known.
    #[error("the vendor refused the request to refresh {address}")]
    RequestRefused {
        /// The credential.
        address: Box<Address>,
        /// The vendor's error.
        source: OAuthError,
    },
    /// The request to the token endpoint failed. Another try may succeed.
    #[error("could not refresh {address} now")]
    Server {
        /// The credential.
        address: Box<Address>,
        /// The failure.
        source: OAuthError,
    },
    /// Another process tried while we waited, or the vendor asked to wait. The vendor was not asked again.
    #[error("could not refresh {address} just now{}: {why}", not_before(*.until))]
    BackingOff {
        /// The credential.
        address: Box<Address>,
        /// The time before which the vendor does not want to be asked.
        until: Option<Timestamp>,
        /// The failure of the last try.
        why: String,
    },
    /// The vendor's CLI ended without new tokens.
    #[error("the vendor's CLI did not refresh {address}: {ending}")]
    Cli {
        /// The credential.
        address: Box<Address>,
        /// The way in which the CLI ended.
        ending: String,
    },
    /// Another process has been refreshing the credential for longer than we wait.
    #[error("another process is refreshing {address}{}", holder_suffix(.holder))]
    Busy {
        /// The credential.
        address: Box<Address>,
        /// The other process.
        holder: Option<String>,
    },
    /// The credential was removed meanwhile.
    #[error("{address} was removed meanwhile")]
    Gone {
        /// Its address.
        address: Box<Address>,
    },
    /// The configuration cannot be used. Nothing is sent, for a wrong file might say where.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The descriptor's endpoint cannot be used.
    #[error("the descriptor of {provider}: {source}")]
    Descriptor {
        /// The provider.
        provider: String,
        /// The problem.
        source: OAuthError,
    },
    /// The container of the vendor's CLI, or the secret of a repeated grant, could not be used.
    #[error("could not refresh {address} now")]
    Container {
        /// The credential.
        address: Box<Address>,
        /// The failure.
        source: Box<LoginError>,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] RefreshLockError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReferenceError> for RefreshError {
    fn from(error: ReferenceError) -> Self {
        Self::Config(error.into())
    }
}

impl RefreshError {
    /// The short word for the audit log.
    pub fn code(&self) -> &'static str {
        self.kind_and_code().1
    }

    /// The class of the error, and the short word for the audit log.
    pub(crate) fn kind_and_code(&self) -> (ErrorKind, &'static str) {
        match self {
            Self::NotRefreshable { .. } | Self::Descriptor { .. } => {
                (ErrorKind::InvalidInput, "not_refreshable")
            }
            Self::Config(_) => (ErrorKind::InvalidInput, "configuration"),
            Self::Refused { .. } => (ErrorKind::NoCredential, "refused"),
            Self::OutcomeUnknown { .. } => (ErrorKind::NoCredential, "outcome_unknown"),
            Self::NotStored { source, .. } => (source.kind(), "not_stored"),
            Self::SetAside { .. } => (ErrorKind::NoCredential, "set_aside"),
            Self::NothingSetAside { .. } => (ErrorKind::InvalidInput, "nothing_set_aside"),
            Self::RequestRefused { .. } => (ErrorKind::LoginFailed, "request_refused"),
            Self::Server { source, .. } => match (source.kind(), source.code()) {
                (kind, "configuration") => (kind, "configuration"),
                // An error code that asks for another try.
                (ErrorKind::LoginFailed, _) => (ErrorKind::Unreachable, "server"),
                (kind, _) => (kind, "server"),
            },
            Self::BackingOff { .. } => (ErrorKind::Unreachable, "server"),
            Self::Cli { .. } => (ErrorKind::LoginFailed, "vendor_cli"),
            Self::Container { source, .. } => (source.kind(), "vendor_cli"),
            Self::Busy { .. } => (ErrorKind::Busy, "busy"),
            Self::Lock(_) => (ErrorKind::Store, "system"),
            Self::Gone { .. } => (ErrorKind::NoCredential, "gone"),
            Self::Store(error) => error.kind_and_code(),
        }
    }

    /// The credential that could not be refreshed, if the failure is about one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::NotRefreshable { address, .. }
            | Self::Refused { address, .. }
            | Self::OutcomeUnknown { address, .. }
            | Self::NotStored { address, .. }
            | Self::SetAside { address, .. }
            | Self::NothingSetAside { address }
            | Self::RequestRefused { address, .. }
            | Self::Server { address, .. }
            | Self::BackingOff { address, .. }
            | Self::Cli { address, .. }
            | Self::Busy { address, .. }
            | Self::Gone { address }
            | Self::Container { address, .. } => Some(address),
            Self::Config(_) | Self::Descriptor { .. } | Self::Lock(_) | Self::Store(_) => None,
        }
    }

    /// Whether only a new login helps, or accepting the tokens that were set aside.
    pub fn needs_login(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::OutcomeUnknown { .. }
                | Self::NotStored { .. }
                | Self::SetAside { .. }
        )
    }
}

fn not_before(until: Option<Timestamp>) -> String {
    let until = until.map(|until| until.strftime("%H:%M:%S UTC"));
    until.map(|until| format!(" (its vendor is not asked before {until})")).unwrap_or_default()
}

fn holder_suffix(holder: &Option<String>) -> String {
    holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default()
}
