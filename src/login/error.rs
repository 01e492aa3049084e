//! Errors of logging in.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    direct::fields::FieldsError,
    import::ImportError,
    loopback::{PortError, PortUnavailable},
    record::Holder,
};
use crate::{
    config::ReferenceError,
    context::ConfigError,
    credential::Address,
    engine::{EngineError, exit_code},
    error_kind::ErrorKind,
    oauth::OAuthError,
    provider::Mode,
    store::StoreError,
    ui::UiError,
    vendor_files::CaptureError,
};

/// An error of logging in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider does not have this mode.
    #[error("{provider} has no mode {mode}; it has {}", list(.has))]
    NoSuchMode {
        /// The provider.
        provider: String,
        /// The mode that was asked for.
        mode: Mode,
        /// The modes that it has.
        has: Vec<Mode>,
        /// The descriptor knows the endpoints, but no public client.
        needs_client: bool,
    },
    /// The mode is not implemented.
    #[error("mode {0} is not available in this version")]
    NotImplemented(Mode),
    /// An input was given that the mode does not take.
    #[error("{what} given, which mode {mode} does not take")]
    UnexpectedInput {
        /// The input with its verb: `an API key was`.
        what: &'static str,
        /// The mode.
        mode: Mode,
    },
    /// The key or token is invalid. Nothing was stored.
    #[error("the {what} for {provider} is refused: {problem}")]
    BadKey {
        /// `key` or `token`.
        what: &'static str,
        /// The provider.
        provider: String,
        /// The problem; never the key.
        problem: String,
        /// [`LoginOptions::force`](super::LoginOptions::force) stores it all the same.
        forceable: bool,
    },
    /// Another process is logging in to the same credential.
    #[error("a login for {address} is running{}", who(.holder))]
    Busy {
        /// The credential.
        address: Box<Address>,
        /// The other process; `None` if it has not recorded itself yet.
        holder: Option<Box<Holder>>,
    },
    /// The vendor's files could not be written.
    #[error(transparent)]
    Vendor(Box<CaptureError>),
    /// The login's own files could not be created or removed.
    #[error("cannot use {}: {source}", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
    /// The login ended and left no credential.
    #[error("{ending}, and left no credential{}", list_found(.found))]
    NothingCaptured {
        /// The way in which it ended.
        ending: Ending,
        /// The names of the files that it left.
        found: Vec<String>,
        /// The reason why a file could not be read.
        because: Option<Box<CaptureError>>,
    },
    /// The port of the redirect is not available, and nobody can paste the redirect.
    #[error("{0}, and the browser must come back to it")]
    PortTaken(PortUnavailable),
    /// Neither a browser nor the person can bring the authorization response. Nothing was attempted.
    #[error("no browser can come back to this machine, and there is no terminal to paste at")]
    NoWayBack {
        /// The provider also has the mode `device`.
        has_device: bool,
    },
    /// The fields are not those of the provider. Nothing was stored.
    #[error(transparent)]
    Fields(#[from] FieldsError),
    /// An import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be used. Nothing was attempted.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A credential that the descriptor refers to is missing. Nothing was attempted.
    #[error("{field}: {problem}")]
    Subject {
        /// The field of the descriptor.
        field: String,
        /// The problem.
        problem: String,
    },
    /// A credential that the descriptor refers to has expired. Nothing was attempted.
    #[error("{field}: the credential for {address} has expired")]
    SubjectExpired {
        /// The field of the descriptor.
        field: String,
        /// The credential.
        address: Box<Address>,
    },
    /// The vendor returned an invalid API key.
    #[error("{provider} returned an invalid API key: {problem}")]
    NoKey {
        /// The provider.
        provider: String,
        /// The problem with it.
        problem: String,
    },
    /// The login succeeded, and the credential could not be stored.
    #[error("the login succeeded, but its credential could not be stored and is lost")]
    NotStored {
        /// The failure of the store.
        source: Box<StoreError>,
    },
    /// The time limit was reached.
    #[error("the login took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    /// The authorization server refused, or could not be reached.
    #[error("the login failed: {0}")]
    OAuth(#[from] OAuthError),
    /// The person could not be asked, or cancelled.
    #[error(transparent)]
    Ui(#[from] UiError),
}

impl From<ReferenceError> for LoginError {
    fn from(error: ReferenceError) -> Self {
        Self::Config(error.into())
    }
}

fn who(holder: &Option<Box<Holder>>) -> String {
    holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default()
}

impl LoginError {
    /// Makes the error of a file or directory.
    pub(super) fn files(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Files { path: path.to_owned(), source }
    }

    /// The short word for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        self.kind_and_code().1
    }

    /// The class of the error, and the short word for the audit log.
    pub(crate) fn kind_and_code(&self) -> (ErrorKind, &'static str) {
        match self {
            Self::NoSuchMode { .. } | Self::NotImplemented(_) | Self::UnexpectedInput { .. } => {
                (ErrorKind::InvalidInput, "configuration")
            }
            Self::Config(_) => (ErrorKind::InvalidInput, "configuration"),
            Self::Subject { .. } | Self::SubjectExpired { .. } => (ErrorKind::NoCredential, "configuration"),
            Self::BadKey { .. } | Self::Ui(UiError::Rejected(_)) => (ErrorKind::InvalidInput, "bad_key"),
            Self::NoKey { .. } => (ErrorKind::LoginFailed, "bad_key"),
            Self::Fields(_) => (ErrorKind::InvalidInput, "bad_field"),
            Self::NoWayBack { .. } | Self::Ui(UiError::NoOneToAsk(_)) => {
                (ErrorKind::InvalidInput, "nobody_to_ask")
            }
            Self::PortTaken(PortUnavailable { reason: PortError::NotPermitted(_), .. }) => {
                (ErrorKind::Other, "busy")
            }
            Self::Busy { .. } | Self::PortTaken(_) => (ErrorKind::Busy, "busy"),
            Self::NothingCaptured { .. } => (ErrorKind::LoginFailed, "nothing_captured"),
            Self::TooLong(_) => (ErrorKind::LoginFailed, "too_long"),
            Self::NotStored { source } => (source.kind(), "not_stored"),
            Self::Import(ImportError::Unfinished { source, .. }) => source.kind_and_code(),
            Self::Import(error) => (error.kind(), "vendor_files"),
            Self::Vendor(_) => (ErrorKind::Other, "vendor_files"),
            Self::Engine(error) => (error.kind(), "engine"),
            Self::Store(error) => error.kind_and_code(),
            Self::OAuth(error) => (error.kind(), error.code()),
            Self::Ui(UiError::Interrupted) => (ErrorKind::Interrupted, "interrupted"),
            Self::Ui(UiError::Io(_)) => (ErrorKind::Other, "system"),
            Self::Files { .. } => (ErrorKind::Store, "system"),
        }
    }

    /// Whether the login had not begun: the request was incomplete.
    pub(super) fn is_before_start(&self) -> bool {
        matches!(self, Self::Ui(UiError::NoOneToAsk(_)) | Self::NoWayBack { .. })
    }
}

/// The way in which a vendor's CLI ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Ended by itself, with this exit code.
    Exited(i64),
    /// Ended by us when its credential was complete.
    Complete,
    /// Ended by us at the time limit.
    TimedOut(Duration),
    /// Ended by the person, or by a signal to us.
    Interrupted,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("the login ended"),
            Self::Exited(code) => write!(f, "the login failed with {}", exit_code(*code)),
            Self::Complete => f.write_str("the login was complete"),
            Self::TimedOut(limit) => write!(f, "the login took longer than {} s", limit.as_secs()),
            Self::Interrupted => f.write_str("the login was interrupted"),
        }
    }
}

/// A login that ended before its CLI could write anything.
impl From<Ending> for LoginError {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Interrupted => UiError::Interrupted.into(),
            ending => Self::NothingCaptured { ending, found: Vec::new(), because: None },
        }
    }
}

fn list(modes: &[Mode]) -> String {
    modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", ")
}

fn list_found(names: &[String]) -> String {
    if names.is_empty() { "; it wrote no file".into() } else { format!("; it wrote: {}", names.join(", ")) }
}
