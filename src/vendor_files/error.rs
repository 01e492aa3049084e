//! What can go wrong between a vendor's file and a credential. Nothing here ever holds a file's content.

use std::{fmt, io};

use crate::{credential::Kind, provider::capture_map::Format};

/// Why a vendor's files could not be read or written. Names in it are escaped for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Something is there that is never opened, or never replaced.
    #[error("refused: {file} {problem}")]
    Refused {
        /// The file or directory.
        file: String,
        /// What is wrong with it.
        problem: Refusal,
    },
    /// The file is not of its format. While a login runs this may mean that the vendor's CLI is still writing it.
    #[error("{file} is not {}{}", format_name(.format), Position(.position))]
    Malformed {
        /// The file.
        file: String,
        /// The format it was to have.
        format: Format,
        /// Line and column, both from 1, where the reader stopped.
        position: Option<(usize, usize)>,
    },
    /// Several keys in the place of `*` hold a whole credential.
    #[error("{file} holds several logins: {}", .keys.join(", "))]
    Ambiguous {
        /// The file.
        file: String,
        /// The keys, at most a few.
        keys: Vec<String>,
    },
    /// A part was found, and is of a form that it cannot have.
    #[error("the {part} in {file} is not usable: control characters")]
    Unusable {
        /// The file.
        file: String,
        /// The part's name in the capture map.
        part: String,
    },
    /// The capture map itself is wrong.
    #[error("capture map of {file}: {problem}")]
    Map {
        /// The file that the map is for.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// No entry of the map takes this kind of credential.
    #[error("there is no vendor file for a credential of kind {0}")]
    NoEntry(Kind),
    /// The credential lacks a part that the vendor's file needs.
    #[error("{file} needs a part that the credential does not have: {part}")]
    Incomplete {
        /// The file.
        file: String,
        /// The part's name in the capture map.
        part: String,
    },
    /// The file is of a form in which the value cannot be put. Nothing was written.
    #[error("cannot put {path} into {file}: {problem}")]
    Unwritable {
        /// The file.
        file: String,
        /// Path in the file.
        path: String,
        /// Why not.
        problem: &'static str,
    },
    /// The credential cannot be taken out of the file without a rest of it. Nothing was written.
    #[error("cannot take the login out of {file}: it holds the secret inside of other values, too")]
    NotAlone {
        /// The file.
        file: String,
    },
    /// The file does not hold the credential any more that was read from it.
    #[error("{file} has changed since it was read")]
    Changed {
        /// The file.
        file: String,
    },
    /// The operating system said no.
    #[error("cannot {action} {file}")]
    Io {
        /// The file or directory.
        file: String,
        /// What was being done.
        action: &'static str,
        /// What it said.
        source: io::Error,
    },
}

/// What makes a file or directory one that is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A symbolic link, or under one.
    Link,
    /// A FIFO, device, socket or directory where a file is expected.
    NotAFile,
    /// Something else where a directory is expected.
    NotADirectory,
    /// A file that has a second name somewhere.
    HardLink,
    /// Neither ours nor the expected owner's.
    Owner,
    /// A directory that others may write to.
    Writable,
    /// Above the size limit.
    Size,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "is a symbolic link",
            Self::NotAFile => "is not a regular file",
            Self::NotADirectory => "is not a directory",
            Self::HardLink => "has a second name (hard link)",
            Self::Owner => "belongs to another user",
            Self::Writable => "can be written by others",
            Self::Size => "is larger than 1 MiB",
        })
    }
}

fn format_name(format: &Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Yaml => "YAML",
        Format::Toml => "TOML",
        Format::Dotenv => "a list of NAME=value lines",
    }
}

struct Position<'a>(&'a Option<(usize, usize)>);

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ": line {line}, column {column}"),
            None => Ok(()),
        }
    }
}
