//! What can go wrong when a credential is renewed.

use jiff::Timestamp;

use super::RefreshLockError;
use crate::{
    config::{
        ReferenceError,
        yaml::{self, Problem},
    },
    credential::{Address, Record},
    login::LoginError,
    oauth::OAuthError,
    store::StoreError,
    vendor_files::CaptureError,
};

/// Why a credential was not renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// There is no way to renew it. Nothing was attempted.
    #[error("{address} cannot be renewed: {why}")]
    NotRefreshable {
        /// The credential.
        address: Box<Address>,
        /// Why not.
        why: &'static str,
    },
    /// The vendor has refused it for good, now or at an earlier attempt. Remembered until the next login.
    #[error("the vendor does not renew {address} any more: {why}")]
    Refused {
        /// The credential.
        address: Box<Address>,
        /// The vendor's words.
        why: String,
    },
    /// Its refresh token was sent, and nobody knows whether the vendor took it. It is not sent again.
    #[error("it is not known what became of renewing {address} at {}: {why}", since.strftime("%Y-%m-%d %H:%M:%S UTC"))]
    OutcomeUnknown {
        /// The credential.
        address: Box<Address>,
        /// When.
        since: Timestamp,
        /// What happened.
        why: String,
    },
    /// It was renewed, and what the vendor gave could not be stored: this is the only copy, and the token that is stored
    /// is spent.
    #[error("{address} was renewed, but the new tokens could not be stored")]
    NotStored {
        /// The credential.
        address: Box<Address>,
        /// As it would be stored. Its access token works for as long as it lasts.
        fresh: Box<Record>,
        /// Why not.
        source: Box<StoreError>,
    },
    /// What came back is not for the account that the credential is of. It was not stored.
    #[error("renewing {address} gave a login of another account: {found} in place of {expected}")]
    OtherAccount {
        /// The credential.
        address: Box<Address>,
        /// Its account.
        expected: String,
        /// The account of what came back.
        found: String,
    },
    /// What came back may do less than the credential. It was not stored.
    #[error("renewing {address} gave a login without the scopes {}", missing.join(", "))]
    FewerScopes {
        /// The credential.
        address: Box<Address>,
        /// What it lacks.
        missing: Vec<String>,
    },
    /// It did not happen this time.
    #[error("{address} could not be renewed now")]
    Server {
        /// The credential.
        address: Box<Address>,
        /// Why.
        source: OAuthError,
    },
    /// Somebody else tried while we waited, or the vendor has named a time: it was not asked again.
    #[error("{address} could not be renewed just now{}: {why}", not_before(*.until))]
    BackingOff {
        /// The credential.
        address: Box<Address>,
        /// Until when the vendor does not want to be asked.
        until: Option<Timestamp>,
        /// What the try came to.
        why: String,
    },
    /// The vendor's CLI renewed nothing.
    #[error("the vendor's CLI did not renew {address}: {ending}")]
    Cli {
        /// The credential.
        address: Box<Address>,
        /// How it ended.
        ending: String,
    },
    /// Somebody else has been renewing it for longer than we wait.
    #[error("{address} is being renewed by somebody else{}", holder_suffix(.holder))]
    Busy {
        /// The credential.
        address: Box<Address>,
        /// By whom.
        holder: Option<String>,
    },
    /// It was removed in the meantime.
    #[error("{address} was removed in the meantime")]
    Gone {
        /// Where it was.
        address: Box<Address>,
    },
    /// A file of its provider is wrong: what it says of where tokens go might be missing.
    #[error("{}", yaml::join(.0))]
    InvalidDescriptor(Vec<Problem>),
    /// A value of the project's file or of the descriptor is in a variable that is not set.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The descriptor says something that cannot be used.
    #[error("the descriptor of {provider}: {source}")]
    Descriptor {
        /// The provider.
        provider: String,
        /// What is wrong.
        source: OAuthError,
    },
    /// The container of the vendor's CLI could not be used.
    #[error("{address} could not be renewed now")]
    Container {
        /// The credential.
        address: Box<Address>,
        /// Why.
        source: Box<LoginError>,
    },
    /// The vendor's files.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The lock file.
    #[error(transparent)]
    Lock(#[from] RefreshLockError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RefreshError {
    /// A short word for it, for the audit log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRefreshable { .. } | Self::Descriptor { .. } => "not_renewable",
            Self::InvalidDescriptor(_) | Self::Reference(_) => "configuration",
            Self::Refused { .. } => "refused",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::NotStored { .. } => "not_stored",
            Self::OtherAccount { .. } => "other_account",
            Self::FewerScopes { .. } => "fewer_scopes",
            Self::Server { source, .. } if source.code() == "configuration" => "configuration",
            Self::Server { .. } | Self::BackingOff { .. } => "server",
            Self::Cli { .. } | Self::Container { .. } | Self::Capture(_) => "vendor_cli",
            Self::Busy { .. } => "busy",
            Self::Lock(_) => "system",
            Self::Gone { .. } => "gone",
            Self::Store(error) => error.code(),
        }
    }

    /// The credential, where it is one that is the matter.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::NotRefreshable { address, .. }
            | Self::Refused { address, .. }
            | Self::OutcomeUnknown { address, .. }
            | Self::NotStored { address, .. }
            | Self::OtherAccount { address, .. }
            | Self::FewerScopes { address, .. }
            | Self::Server { address, .. }
            | Self::BackingOff { address, .. }
            | Self::Cli { address, .. }
            | Self::Busy { address, .. }
            | Self::Gone { address }
            | Self::Container { address, .. } => Some(address),
            Self::InvalidDescriptor(_)
            | Self::Reference(_)
            | Self::Descriptor { .. }
            | Self::Capture(_)
            | Self::Lock(_)
            | Self::Store(_) => None,
        }
    }

    /// Only a new login helps.
    pub fn needs_login(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::OutcomeUnknown { .. }
                | Self::NotStored { .. }
                | Self::OtherAccount { .. }
                | Self::FewerScopes { .. }
        )
    }
}

fn not_before(until: Option<Timestamp>) -> String {
    let until = until.map(|until| until.strftime("%H:%M:%S UTC"));
    until.map(|until| format!(", and its vendor is not asked before {until}")).unwrap_or_default()
}

fn holder_suffix(holder: &Option<String>) -> String {
    holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default()
}
