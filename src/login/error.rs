//! What can go wrong with a login.

use std::{io, path::PathBuf, time::Duration};

use super::{
    cli::port_forward::PortUnavailable, direct::fields::FieldsError, import::ImportError, record::Holder,
};
use crate::{
    config::ReferenceError, credential::Address, engine::EngineError, oauth::OAuthError, provider::Mode,
    store::StoreError, ui::UiError, vendor_files::CaptureError,
};

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider does not have the mode.
    #[error("{provider} has no mode {mode}; it has {}", list(.has))]
    NoSuchMode {
        /// The provider.
        provider: String,
        /// What was asked for.
        mode: Mode,
        /// What it has.
        has: Vec<Mode>,
        /// The descriptor knows the endpoints, and no client that everybody may use.
        needs_client: bool,
    },
    /// The mode is known, and not built yet.
    #[error("mode {0} is not available in this version")]
    NotImplemented(Mode),
    /// Something was given for a mode that takes none of it.
    #[error("{what} given, and mode {mode} takes none")]
    UnexpectedInput {
        /// What was given, with its verb: `an API key was`.
        what: &'static str,
        /// The mode.
        mode: Mode,
    },
    /// The key or token is not one; nothing was stored.
    #[error("the {what} for {provider} is refused: {problem}")]
    BadKey {
        /// `key` or `token`.
        what: &'static str,
        /// The provider.
        provider: String,
        /// What is wrong; never the key.
        problem: String,
        /// `--force` stores it all the same.
        forceable: bool,
    },
    /// The key could not be read from where it was said to be.
    #[error("cannot read the key from {from}: {source}")]
    KeySource {
        /// Where that is; never a value that could be the key.
        from: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody else is at it.
    #[error("a login for {address} is running{}", who(.holder))]
    Busy {
        /// The credential.
        address: Box<Address>,
        /// Who; `None` at a moment when that is not written down.
        holder: Option<Box<Holder>>,
    },
    /// The vendor's files cannot be written.
    #[error(transparent)]
    Vendor(Box<CaptureError>),
    /// The login's own files could not be made or removed.
    #[error("cannot use {}: {source}", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The login ended and left no credential.
    #[error("{ending}, and left no credential{}", list_found(.found))]
    NothingCaptured {
        /// How it ended.
        ending: Ending,
        /// Names of the files that it left.
        found: Vec<String>,
        /// What kept a file from being read.
        because: Option<Box<CaptureError>>,
    },
    /// The port that the browser will come back to is not ours, and nobody can paste where it went.
    #[error("{0}, and the browser must come back to it")]
    PortTaken(PortUnavailable),
    /// The fields are not those of the provider; nothing was stored.
    #[error(transparent)]
    Fields(#[from] FieldsError),
    /// An import.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret that the descriptor refers to is not there; nothing was attempted.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A credential that the descriptor refers to is not there; nothing was attempted.
    #[error("{field}: {problem}")]
    Subject {
        /// The field of the descriptor.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// What the vendor gave for a key is none.
    #[error("the key that {provider} gave is none: {problem}")]
    NoKey {
        /// The provider.
        provider: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It succeeded, and what the vendor gave could not be stored.
    #[error("the login succeeded, but what the vendor gave could not be stored, and is lost")]
    NotStored {
        /// Why not.
        source: Box<StoreError>,
    },
    /// The time was up.
    #[error("the login took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    /// The authorization server.
    #[error("the login failed: {0}")]
    OAuth(#[from] OAuthError),
    /// The person.
    #[error(transparent)]
    Ui(#[from] UiError),
}

fn who(holder: &Option<Box<Holder>>) -> String {
    holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default()
}

impl LoginError {
    /// A short word for it, for the audit log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::BadKey { .. } | Self::NoKey { .. } => "bad_key",
            Self::Fields(_) => "bad_field",
            Self::NoSuchMode { .. } | Self::NotImplemented(_) | Self::UnexpectedInput { .. } => {
                "configuration"
            }
            Self::KeySource { .. } | Self::Reference(_) | Self::Subject { .. } => "configuration",
            Self::Busy { .. } | Self::PortTaken(_) => "busy",
            Self::NothingCaptured { .. } => "nothing_captured",
            Self::TooLong(_) => "too_long",
            Self::NotStored { .. } => "not_stored",
            Self::Import(ImportError::Unfinished { source, .. }) => source.code(),
            Self::Import(_) | Self::Vendor(_) => "vendor_files",
            Self::Engine(_) => "engine",
            Self::Store(error) => error.code(),
            Self::OAuth(error) => error.code(),
            Self::Ui(UiError::Interrupted) => "interrupted",
            Self::Ui(UiError::NoOneToAsk(_)) => "nobody_to_ask",
            Self::Ui(UiError::Rejected(_)) => "bad_key",
            Self::Ui(UiError::Io(_)) | Self::Files { .. } => "system",
        }
    }

    /// Whether nothing was begun: what was asked for was not complete.
    pub(super) fn is_before_start(&self) -> bool {
        matches!(self, Self::Ui(UiError::NoOneToAsk(_)))
    }
}

/// How a vendor's CLI ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exited(i64),
    /// By us, when its credential was complete.
    Complete,
    /// By us, at the time limit.
    TimedOut(Duration),
    /// By the person, or by a signal to us.
    Interrupted,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("the login ended"),
            Self::Exited(code) => write!(f, "the login failed with exit code {code}"),
            Self::Complete => f.write_str("the login was complete"),
            Self::TimedOut(limit) => write!(f, "the login took longer than {} s", limit.as_secs()),
            Self::Interrupted => f.write_str("the login was interrupted"),
        }
    }
}

fn list(modes: &[Mode]) -> String {
    modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", ")
}

fn list_found(names: &[String]) -> String {
    if names.is_empty() { "; it wrote no file".into() } else { format!("; it wrote: {}", names.join(", ")) }
}
