//! Errors of importing.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::{credential::Address, store::StoreError, vendor_files::CaptureError};

/// An error of importing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The descriptor has no capture map.
    #[error("the descriptor of {provider} has no capture map, which says where its tool keeps a login")]
    NoMap {
        /// The provider.
        provider: String,
    },
    /// The descriptor does not say where the vendor's tool keeps its files.
    #[error("the descriptor of {provider} does not say where its tool keeps its files")]
    NoPlace {
        /// The provider.
        provider: String,
    },
    /// The directory does not exist.
    #[error("there is no directory {}{}", path.display(), named(.variable))]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// The environment variable that names it.
        variable: Option<String>,
    },
    /// The directory has no login.
    #[error("there is no login of {provider} in {}", path.display())]
    Nothing {
        /// The provider.
        provider: String,
        /// The directory.
        path: PathBuf,
    },
    /// The files are refused or malformed.
    #[error("{}: {source}", path.display())]
    Files {
        /// The directory.
        path: PathBuf,
        /// The failure.
        source: CaptureError,
    },
    /// The login has expired, so storing it would help nobody.
    #[error("the login in {} has expired ({at}){}", path.display(), still_good(.stored))]
    Expired {
        /// The file.
        path: PathBuf,
        /// Its end.
        at: Timestamp,
        /// Whether it could be refreshed, if it were taken over.
        is_refreshable: bool,
        /// The address, if another credential is stored there that has not expired.
        stored: Option<Box<Address>>,
    },
    /// The vendor's tool keeps changing its files.
    #[error("the files in {} change while they are read: end the tool that uses them, and try again", path.display())]
    Changing {
        /// The directory.
        path: PathBuf,
    },
    /// The login is stored, and the vendor's tool still has it.
    #[error("{address} was stored, but the vendor's tool still has it, too: {source}")]
    NotTakenOver {
        /// The address at which it is stored.
        address: Box<Address>,
        /// The reason why it could not be removed from the vendor's files.
        source: CaptureError,
    },
    /// The login is stored and removed from the vendor's files, and it could not be marked as ours.
    #[error(
        "{address} is stored and was removed from the vendor's files, but could not be marked as ours: {source}"
    )]
    Unfinished {
        /// The address at which it is stored.
        address: Box<Address>,
        /// The failure of the store.
        source: StoreError,
    },
    /// Another process stored another credential meanwhile.
    #[error("another process replaced {address} while it was taken over")]
    Replaced {
        /// The address.
        address: Box<Address>,
    },
}

fn named(variable: &Option<String>) -> String {
    variable.as_ref().map(|name| format!(", which {name} names")).unwrap_or_default()
}

fn still_good(stored: &Option<Box<Address>>) -> String {
    stored.as_ref().map(|address| format!(", and the one stored as {address} has not")).unwrap_or_default()
}
