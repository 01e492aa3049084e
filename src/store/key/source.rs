//! The key sources: what they are called, what is recorded of them, what they do.

use std::{fmt, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataKey, key_file};
use crate::store::{StoreError, seal::SealingKey};

/// What keeps the key of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Source {
    /// A file with 32 random bytes.
    #[serde(rename = "key_file")]
    KeyFile,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::KeyFile];

    /// Its name, as in the settings and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyFile => "key_file",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Source {
    type Err = String;

    /// `-` and `_` are the same.
    fn from_str(text: &str) -> Result<Self, String> {
        let same = |source: &Self| source.as_str().replace('-', "_") == text.replace('-', "_");
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| format!("{text:?} is no key source (known: {})", known()))
    }
}

/// Whether the passphrase may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Asking {
    Allowed,
    No,
}

/// What a source needs to know of the store.
#[derive(Debug)]
pub(in crate::store) struct Context {
    pub database: PathBuf,
    pub directory: PathBuf,
    pub asking: Asking,
}

impl Context {
    /// The error of a source that cannot give the key.
    pub fn refuse(&self, source: Source, why: impl Into<String>) -> StoreError {
        StoreError::KeySource {
            path: self.database.clone(),
            source_name: source.as_str().to_owned(),
            why: why.into(),
        }
    }
}

/// A key that a source has made, not yet put where it belongs.
#[derive(Debug)]
pub(in crate::store) struct Fresh {
    pub recorded: Recorded,
    pub key: SealingKey,
}

/// What is recorded of a source: all that it needs to give the key again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", content = "parameters")]
pub(in crate::store) enum Recorded {
    #[serde(rename = "key_file")]
    KeyFile(key_file::Parameters),
}

/// Tries to open the data key with a wrapping key.
pub(in crate::store) type Open<'a> = &'a dyn Fn(&SealingKey) -> Option<DataKey>;

impl Recorded {
    pub fn source(&self) -> Source {
        match self {
            Self::KeyFile(_) => Source::KeyFile,
        }
    }

    /// The columns `source` and `parameters`.
    pub fn to_columns(&self) -> (String, String) {
        let parameters = match self {
            Self::KeyFile(parameters) => serde_json::to_string(parameters),
        };
        (self.source().as_str().to_owned(), parameters.unwrap_or_default())
    }

    /// `None` for a source that is not known.
    pub fn from_columns(source: &str, parameters: &str) -> Option<Self> {
        match Source::ALL.into_iter().find(|known| known.as_str() == source)? {
            Source::KeyFile => serde_json::from_str(parameters).ok().map(Self::KeyFile),
        }
    }

    /// Gets the data key.
    pub fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        match self {
            Self::KeyFile(parameters) => key_file::unwrap(parameters, context, open),
        }
    }

    /// Puts a fresh key where it belongs, durably.
    pub fn establish(&self, key: &SealingKey, context: &Context) -> Result<(), StoreError> {
        match self {
            Self::KeyFile(parameters) => key_file::establish(parameters, key, context),
        }
    }

    /// Removes it from there, if it was made by us and is there.
    pub fn discard(&self, context: &Context) -> Result<(), StoreError> {
        match self {
            Self::KeyFile(parameters) => key_file::discard(parameters, context),
        }
    }

    /// Whether it puts something somewhere outside of the database.
    pub fn is_external(&self) -> bool {
        matches!(self, Self::KeyFile(_))
    }

    /// Where it has the key, for people.
    pub fn place(&self, context: &Context) -> String {
        match self {
            Self::KeyFile(parameters) => parameters.path(context).display().to_string(),
        }
    }
}
