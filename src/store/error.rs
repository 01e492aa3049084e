//! The errors of the store.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi};
use rustix::{
    fs::{Access, access},
    io::Errno,
    process::{Resource, getrlimit},
};

use super::Unreadable;
use crate::{
    config::yaml::{self, Problem},
    credential::Address,
    error_kind::ErrorKind,
    fs::unwritable,
    redact::redact_path,
};

/// A failure of the store.
///
/// Every message names the file. None contains any part of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database was written by a newer version of this program.
    #[error(
        "{} was written by a newer version of authenticate (schema {found}, this one knows {known})",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest schema version that this program knows.
        known: i32,
    },
    /// The file is not a database, or has damaged pages. It was left as it is.
    #[error("{} is damaged ({what}) and was left as it is", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The damage.
        what: String,
    },
    /// The file is a database of another program. It was left as it is.
    #[error(
        "{} is a database of another program (application id {application_id:#010x}) and was left as it is",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
        /// The application id in its header.
        application_id: u32,
    },
    /// The file or directory cannot be trusted with secrets.
    #[error("{} is refused: {why}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// The reason, and what to do.
        why: String,
    },
    /// The operating system refused an operation on a file.
    #[error("cannot {what} {}", redact_path(path))]
    Io {
        /// The operation: `read`, `create`, ..
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// SQLite refused: no space left, a read-only file system, ..
    #[error("cannot use {}: {why}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The cause, or else SQLite's words.
        why: String,
        /// Whether the same operation may succeed a little later.
        is_transient: bool,
    },
    /// The file system of the data directory cannot hold a database. None was made.
    #[error("cannot create {}: its file system is not fit for a database: {why}", path.display())]
    NoDatabase {
        /// The database.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The metadata beside a secret cannot be read.
    #[error(transparent)]
    Unreadable(Box<Unreadable>),
    /// A sealed secret does not open at its address, or is not a credential.
    #[error("what {} holds for {address} {why}", path.display())]
    NotOpened {
        /// The database.
        path: PathBuf,
        /// The credential's address.
        address: Box<Address>,
        /// The reason.
        why: &'static str,
    },
    /// The store is locked with a passphrase, and nobody gave it.
    #[error("{} is locked with a passphrase", path.display())]
    PassphraseNeeded {
        /// The database.
        path: PathBuf,
    },
    /// A new passphrase is needed, and nobody gave it. Nothing was attempted.
    #[error("a new passphrase for {} is needed", path.display())]
    NewPassphraseNeeded {
        /// The database.
        path: PathBuf,
    },
    /// The passphrase was wrong.
    #[error("that is not the passphrase of {}: nothing was changed", path.display())]
    WrongPassphrase {
        /// The database.
        path: PathBuf,
    },
    /// The question for the passphrase was dismissed.
    #[error("interrupted")]
    Interrupted,
    /// The key source cannot return the key.
    #[error("cannot get the encryption key of {} from {source_name}: {why}", path.display())]
    KeySource {
        /// The database.
        path: PathBuf,
        /// The name of the source.
        source_name: String,
        /// The reason, and what to do.
        why: String,
        /// Whether the source was to keep a new key in place of the present one.
        replaces: bool,
    },
    /// No key can be kept unlocked, because this process has no key ring in the kernel: in a container, for example.
    #[error("{} cannot be kept unlocked, because this system gives us no key ring in the kernel (a container may not)", path.display())]
    NoKernelKeyring {
        /// The database.
        path: PathBuf,
    },
    /// Another process kept writing to the store, or changing its key, for longer than we wait.
    #[error("another process is writing to {}", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// Another process gave the store another key before we could.
    #[error(
        "another process has just rekeyed {}, and its key is in use: to replace that key too, try again",
        path.display()
    )]
    KeyChanged {
        /// The database.
        path: PathBuf,
    },
    /// A refresh is in flight, and its answer must be stored before the whole store changes.
    #[error("{address} is being refreshed: try again when that is done")]
    RefreshInFlight {
        /// The credential's address.
        address: Box<Address>,
    },
    /// A backup would replace a file. Nothing was attempted.
    #[error("{} exists already", redact_path(path))]
    BackupExists {
        /// The file.
        path: PathBuf,
    },
    /// A backup cannot be written or restored: the file, its key or its content is wrong.
    #[error("{} {why}", redact_path(path))]
    Backup {
        /// The backup.
        path: PathBuf,
        /// The reason, and what to do.
        why: String,
    },
    /// The settings of the store are wrong.
    #[error("{}", yaml::join(.0))]
    Settings(Vec<Problem>),
    /// The credential that was read back after storing differs from the one that was stored.
    #[error("{} does not hold {address} as it was stored", path.display())]
    ReadBack {
        /// The database.
        path: PathBuf,
        /// The credential's address.
        address: Box<Address>,
    },
}

/// The code of failures that another process caused by using the store at the same time.
pub(super) const BUSY: &str = "busy";

impl StoreError {
    /// Returns a short word for the failure, for the audit log.
    pub fn code(&self) -> &'static str {
        self.kind_and_code().1
    }

    /// Returns the class of the error, and a short word for the audit log.
    pub(crate) fn kind_and_code(&self) -> (ErrorKind, &'static str) {
        match self {
            Self::Busy { .. } | Self::KeyChanged { .. } | Self::RefreshInFlight { .. } => {
                (ErrorKind::Busy, BUSY)
            }
            Self::Newer { .. } => (ErrorKind::Store, "newer"),
            Self::Corrupt { .. } | Self::Unreadable(_) => (ErrorKind::Store, "damaged"),
            Self::Foreign { .. } | Self::Refused { .. } | Self::NoKernelKeyring { .. } => {
                (ErrorKind::Store, "refused")
            }
            Self::Io { .. } | Self::Database { .. } | Self::NoDatabase { .. } => (ErrorKind::Store, "system"),
            Self::NotOpened { .. } => (ErrorKind::Store, "altered"),
            Self::PassphraseNeeded { .. } => (ErrorKind::Store, "locked"),
            Self::Interrupted => (ErrorKind::Interrupted, "locked"),
            Self::NewPassphraseNeeded { .. } => (ErrorKind::InvalidInput, "nobody_to_ask"),
            Self::WrongPassphrase { .. } => (ErrorKind::Store, "wrong_passphrase"),
            Self::KeySource { .. } => (ErrorKind::Store, "no_key"),
            Self::Settings(_) => (ErrorKind::InvalidInput, "settings"),
            Self::BackupExists { .. } | Self::Backup { .. } => (ErrorKind::InvalidInput, "backup"),
            Self::ReadBack { .. } => (ErrorKind::Store, "read_back"),
        }
    }

    /// Returns whether the same operation may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Io { .. } => true,
            Self::Database { is_transient, .. } => *is_transient,
            _ => false,
        }
    }

    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    pub(super) fn backup(path: &Path, why: impl Into<String>) -> Self {
        Self::Backup { path: path.to_owned(), why: why.into() }
    }

    pub(super) fn from_sqlite(path: PathBuf, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, what: source.to_string() }
            }
            _ => {
                let why = because(&path, &source).unwrap_or_else(|| words(&source));
                let is_transient = source.sqlite_error_code().is_some_and(may_pass);
                Self::Database { path, why, is_transient }
            }
        }
    }
}

/// A failure inside of an operation: a complete one, or one of SQLite, which does not know the path.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) enum Fault {
    Store(#[from] StoreError),
    Sqlite(#[from] rusqlite::Error),
}

impl Fault {
    pub(super) fn at(self, path: PathBuf) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(source) => StoreError::from_sqlite(path, source),
        }
    }
}

/// Whether an error of SQLite may pass: the disk can be emptied, and a file system mounted again.
fn may_pass(code: ErrorCode) -> bool {
    use ErrorCode::{CannotOpen, DiskFull, OutOfMemory, ReadOnly, SystemIoFailure};
    matches!(code, DiskFull | SystemIoFailure | CannotOpen | ReadOnly | OutOfMemory)
}

/// SQLite's words for an error, once and without the address that it opened.
fn words(source: &rusqlite::Error) -> String {
    match source {
        rusqlite::Error::SqliteFailure(error, text) => {
            let text = text.as_deref().filter(|text| !text.contains("file:"));
            text.unwrap_or_else(|| ffi::code_to_str(error.extended_code)).to_owned()
        }
        other => other.to_string(),
    }
}

/// Finds the cause behind `disk I/O error` and `unable to open database file`, which SQLite also reports for a
/// full or read-only file system.
fn because(path: &Path, source: &rusqlite::Error) -> Option<String> {
    let extended = source.sqlite_error().map_or(0, |error| error.extended_code);
    if extended == ffi::SQLITE_READONLY_ROLLBACK {
        return Some("a change was cut off, and must be undone before it can be read".into());
    }
    match source.sqlite_error_code()? {
        ErrorCode::DiskFull => Some("its disk is full".into()),
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => {
            if matches!(access(path, Access::READ_OK), Err(Errno::ACCESS)) {
                return Some("this user may not read it".into());
            }
            refusal(path)
        }
        _ => None,
    }
}

/// The reason why nothing can be written to a database, or to a larger one.
pub(super) fn refusal(path: &Path) -> Option<String> {
    let found = unwritable::reason(path.parent()?).or_else(|| unwritable::reason(path));
    let limit = |bytes| format!("no file of this process may be larger than {bytes} bytes (ulimit -f)");
    found.map(|reason| reason.why).or_else(|| getrlimit(Resource::Fsize).current.map(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_error_with_a_known_cause_names_the_cause() {
        let error = |code| {
            let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            StoreError::from_sqlite("/proc/self/credentials.db".into(), source).to_string()
        };
        assert_eq!(error(ffi::SQLITE_FULL), "cannot use /proc/self/credentials.db: its disk is full");
        // `/proc` never has free space.
        assert!(error(ffi::SQLITE_IOERR_SHMSIZE).ends_with(": its disk is full"));
        assert_eq!(error(ffi::SQLITE_NOMEM), "cannot use /proc/self/credentials.db: out of memory");
    }
}
