//! Errors of reading and writing vendor files. None of them holds any content of a file.

use std::io;

use crate::{
    credential::Kind,
    provider::capture_map::{CaptureMapError, Format},
};

/// A vendor file that could not be read or written. Its names are escaped for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A file or directory that is never opened, or never replaced.
    #[error("refused: {file} {problem}")]
    Refused {
        /// The file or directory.
        file: String,
        /// The reason.
        problem: Refusal,
    },
    /// A file that is not of its format. During a login the vendor's CLI may still be writing it.
    #[error("{file} is not {}{}", format_name(.format), place(.position))]
    Malformed {
        /// The file.
        file: String,
        /// The expected format.
        format: Format,
        /// Line and column, both from 1, where the parser stopped.
        position: Option<(usize, usize)>,
    },
    /// A file with several logins, none of which is the only one that can be meant.
    #[error("{file} holds several logins: {}", .logins.join(", "))]
    Ambiguous {
        /// The file.
        file: String,
        /// The names of the first few.
        logins: Vec<String>,
    },
    /// A file that has other logins than the one that was asked for: of other providers, accounts or hosts.
    #[error("{file} has no such login, but others: {}", .logins.join(", "))]
    NotChosen {
        /// The file.
        file: String,
        /// The names of the first few.
        logins: Vec<String>,
    },
    /// A login that cannot be taken.
    #[error("{file} has a login that cannot be taken: {why}")]
    Unsupported {
        /// The file.
        file: String,
        /// The reason, from the descriptor.
        why: String,
    },
    /// A part with control characters, which would break out of a header, an environment or a terminal line.
    #[error("{file} has control characters in {part}")]
    Unusable {
        /// The file.
        file: String,
        /// The part's name in the capture map.
        part: String,
    },
    /// An expiry that is no time.
    #[error("{file} has no readable time in expires_at")]
    NoTime {
        /// The file.
        file: String,
    },
    /// A capture map that breaks a rule.
    #[error(transparent)]
    Map(#[from] CaptureMapError),
    /// A kind of credential that no entry of the capture map holds.
    #[error("the capture map has no vendor file for a credential of kind {0}")]
    NoEntry(Kind),
    /// A credential without a part that the vendor's file needs.
    #[error("cannot write {file}: the credential has no {part}")]
    Incomplete {
        /// The file.
        file: String,
        /// The part's name in the capture map.
        part: String,
    },
    /// A value that the file cannot hold. Nothing was written.
    #[error("cannot write {path} into {file}: {problem}")]
    Unwritable {
        /// The file.
        file: String,
        /// Path in the file.
        path: String,
        /// The reason.
        problem: &'static str,
    },
    /// A secret that cannot be removed, because other values of the file contain it. Nothing was written.
    #[error("cannot remove the login from {file}: other values contain its secret")]
    CopiesRemain {
        /// The file.
        file: String,
    },
    /// A file that no longer holds the credential that was read from it.
    #[error("{file} has changed since it was read")]
    Changed {
        /// The file.
        file: String,
    },
    /// A failed system call.
    #[error("cannot {action} {file}")]
    Io {
        /// The file or directory.
        file: String,
        /// The operation, as a verb.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl CaptureError {
    pub(super) fn refused(file: &str, problem: Refusal) -> Self {
        Self::Refused { file: file.to_owned(), problem }
    }

    /// Wraps the system's error of an `action`, a verb.
    pub(super) fn io<E: Into<io::Error>>(file: &str, action: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { file: file.to_owned(), action, source: source.into() }
    }
}

/// The reason why a file or directory is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A symbolic link.
    #[error("is a symbolic link")]
    Link,
    /// A FIFO, device, socket or directory where a file is expected.
    #[error("is not a regular file")]
    NotAFile,
    /// Something else where a directory is expected.
    #[error("is not a directory")]
    NotADirectory,
    /// A file with more than one hard link.
    #[error("has a second name (hard link)")]
    HardLink,
    /// Neither ours nor the expected owner's.
    #[error("belongs to another user")]
    Owner,
    /// A directory that others can write to.
    #[error("can be written by others")]
    Writable,
    /// A file above the size limit.
    #[error("is larger than 4 MiB")]
    Size,
}

fn format_name(format: &Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Yaml => "YAML",
        Format::Toml => "TOML",
        Format::Dotenv => "a list of NAME=value lines",
    }
}

fn place(position: &Option<(usize, usize)>) -> String {
    position.map(|(line, column)| format!(": line {line}, column {column}")).unwrap_or_default()
}
