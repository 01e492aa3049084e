//! What can go wrong with the store.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi};
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::{BackupError, Unreadable};
use crate::{
    config::yaml::{self, Problem},
    credential::Address,
    redact::redact_path,
};

/// Why the store cannot do what was asked. Every message names the file and the way out, and none contains
/// anything of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else was writing for longer than we wait.
    #[error("{} is locked by another process: try again when that one is done", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// Written by a version of this program that is newer than this one.
    #[error(
        "{} was written by a newer version of authenticate (schema {found}, this one knows {known}): update authenticate",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest that we know.
        known: i32,
    },
    /// Not a database, or one with damaged pages. It was left as it is.
    #[error(
        "{0} is damaged ({what}) and was left as it is: keep a copy, move {0}, {0}-wal and {0}-shm aside, and restore a backup or log in again",
        path.display()
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A database of another program. It was left as it is.
    #[error(
        "{} is a database of another program (application id {application_id:#010x}) and was left as it is: move it away, or choose another data directory",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
        /// The application id in its header.
        application_id: u32,
    },
    /// A place that cannot be trusted with secrets.
    #[error("{} is refused: {why}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The system refused.
    #[error("cannot {what} {}", redact_path(path))]
    Io {
        /// What we wanted: `read`, `create`, ..
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SQLite refused: no space left, a read-only file system, ..
    #[error("cannot use {}{}", path.display(), because.map(|because| format!(": {because}")).unwrap_or_default())]
    Database {
        /// The database.
        path: PathBuf,
        /// What is behind it, where that is known and SQLite does not say it.
        because: Option<&'static str>,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The bytes that are stored for an address are not a credential.
    #[error("what {} holds for {address} is not a credential: log in again to replace it", path.display())]
    Decode {
        /// The database.
        path: PathBuf,
        /// Where the credential is.
        address: Address,
    },
    /// What is beside a secret makes no sense.
    #[error(transparent)]
    Unreadable(Box<Unreadable>),
    /// What is sealed for an address does not open there.
    #[error("what {} holds for {address} does not open: {why}; restore a backup, or log in again to replace it", path.display())]
    NotOpened {
        /// The database.
        path: PathBuf,
        /// Where the credential is.
        address: Address,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The list of what is current does not open.
    #[error("the ledger in {} was altered, so what is current there is not known: restore a backup", path.display())]
    LedgerAltered {
        /// The database.
        path: PathBuf,
    },
    /// The passphrase is needed, and nobody gave it.
    #[error(
        "{} is locked with a passphrase: run `authenticate store unlock` at a terminal, or name a file that holds it with AUTHENTICATE_PASSPHRASE_FILE",
        path.display()
    )]
    PassphraseNeeded {
        /// The database.
        path: PathBuf,
    },
    /// A new passphrase is needed, and nobody gave it; nothing was attempted.
    #[error(
        "a new passphrase for {} is needed: give it with --passphrase-file FILE or --passphrase-stdin, or type it at a terminal",
        path.display()
    )]
    NewPassphraseNeeded {
        /// The database.
        path: PathBuf,
    },
    /// It was the wrong one.
    #[error("that is not the passphrase of {}: nothing was changed", path.display())]
    WrongPassphrase {
        /// The database.
        path: PathBuf,
    },
    /// The question for the passphrase was dismissed.
    #[error("interrupted")]
    Interrupted,
    /// The key source cannot give the key.
    #[error("the key of {} is not to be had from its source ({source_name}): {why}", path.display())]
    KeySource {
        /// The database.
        path: PathBuf,
        /// The name of the source.
        source_name: String,
        /// Why not, and what to do.
        why: String,
    },
    /// Somebody else changes the store, or gives it another key, for longer than we wait or again and again.
    #[error("somebody else changes {} just now, or gives it another key: try again", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// Somebody else has given the store another key while we were about to.
    #[error(
        "somebody else has given {} another key meanwhile, and that one holds: if you want yet another, try again",
        path.display()
    )]
    KeyChanged {
        /// The database.
        path: PathBuf,
    },
    /// A token is under way, and what the vendor answers must be stored before the whole store is changed.
    #[error("{address} is being renewed just now: try again when that is done")]
    RefreshInFlight {
        /// The credential.
        address: Box<Address>,
    },
    /// A backup cannot be written or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The configuration says something wrong about the store.
    #[error("{}", yaml::join(.0))]
    Settings(Vec<Problem>),
    /// What was read back after storing is not what was stored.
    #[error("{} does not hold {address} as it was stored: check the disk, then log in again", path.display())]
    ReadBack {
        /// The database.
        path: PathBuf,
        /// Where the credential is.
        address: Address,
    },
}

/// The code of what failed because somebody else is at it.
pub(super) const BUSY: &str = "busy";

impl StoreError {
    /// A short word for it, for the audit log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } | Self::Busy { .. } => BUSY,
            Self::KeyChanged { .. } | Self::RefreshInFlight { .. } => BUSY,
            Self::Newer { .. } => "newer",
            Self::Corrupt { .. } | Self::Decode { .. } | Self::Unreadable(_) => "damaged",
            Self::Foreign { .. } | Self::Refused { .. } => "refused",
            Self::Io { .. } | Self::Database { .. } => "system",
            Self::NotOpened { .. } | Self::LedgerAltered { .. } => "altered",
            Self::PassphraseNeeded { .. } | Self::Interrupted => "locked",
            Self::NewPassphraseNeeded { .. } => "nobody_to_ask",
            Self::WrongPassphrase { .. } => "wrong_passphrase",
            Self::KeySource { .. } => "no_key",
            Self::Settings(_) => "settings",
            Self::Backup(_) => "backup",
            Self::ReadBack { .. } => "read_back",
        }
    }

    /// What to do about it, where the message ends with that.
    pub fn recovery_hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } | Self::Database { .. } | Self::Interrupted | Self::Settings(_) => None,
            // What the system said of a command or a file is no way out.
            Self::KeySource { why, .. } if why.contains("(os error ") => None,
            error => error.to_string().rsplit_once(": ").map(|(_, way_out)| way_out.to_owned()),
        }
    }

    /// Whether nothing was begun: what was asked for was wrong, or not complete.
    pub(super) fn is_before_start(&self) -> bool {
        match self {
            Self::NewPassphraseNeeded { .. } | Self::Settings(_) => true,
            Self::Backup(error) => error.usage,
            _ => false,
        }
    }

    /// The same may work a little later: when somebody else is done, or has made room.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::Busy { .. } | Self::Io { .. } => true,
            Self::Database { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::OutOfMemory
                )
            ),
            _ => false,
        }
    }

    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    pub(super) fn from_sqlite(path: PathBuf, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, what: source.to_string() }
            }
            _ => {
                let because = because(&path, &source);
                Self::Database { path, because, source }
            }
        }
    }
}

/// SQLite says `disk I/O error` and `unable to open database file` of a full or read-only file system, too.
fn because(path: &Path, source: &rusqlite::Error) -> Option<&'static str> {
    let extended = source.sqlite_error().map_or(0, |error| error.extended_code);
    match source.sqlite_error_code()? {
        ErrorCode::DiskFull => Some(FULL),
        ErrorCode::ReadOnly if extended == ffi::SQLITE_READONLY_DIRECTORY => {
            Some("its directory is read-only")
        }
        code @ (ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
            let file_system = statvfs(path.parent()?).ok()?;
            match (file_system.f_flag.contains(StatVfsMountFlags::RDONLY), file_system.f_bavail) {
                (true, _) => Some("its file system is read-only"),
                (false, 0) => Some(FULL),
                _ if code == ErrorCode::ReadOnly => Some("this user may not write to it"),
                _ => None,
            }
        }
        _ => None,
    }
}

const FULL: &str = "its disk is full";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_an_error_of_sqlite_is_said() {
        let error = |code| {
            let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            StoreError::from_sqlite("/proc/self/credentials.db".into(), source).to_string()
        };
        assert_eq!(error(ffi::SQLITE_FULL), "cannot use /proc/self/credentials.db: its disk is full");
        assert!(error(ffi::SQLITE_READONLY_DIRECTORY).ends_with(": its directory is read-only"));
        // Nothing is free there, ever.
        assert!(error(ffi::SQLITE_IOERR_SHMSIZE).ends_with(": its disk is full"));
        assert_eq!(error(ffi::SQLITE_NOMEM), "cannot use /proc/self/credentials.db");
    }
}
