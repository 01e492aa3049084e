//! The names of the key sources, and what a source needs to know of a store.

use std::{fmt, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    credential::Secret,
    redact::quote,
    store::{Place, StoreError},
};

/// A key source: it keeps the key of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The system's key ring: the Secret Service, on Linux.
    Keyring,
    /// A passphrase that is asked for.
    Passphrase,
    /// `systemd-creds`: the TPM, or a key that only root can read.
    #[serde(rename = "systemd-creds", alias = "systemd_creds")]
    SystemdCreds,
    /// A command that prints the passphrase.
    Command,
    /// A file with 32 random bytes.
    #[serde(alias = "key-file")]
    KeyFile,
}

impl KeySource {
    /// All sources.
    pub const ALL: [Self; 5] =
        [Self::Keyring, Self::Passphrase, Self::SystemdCreds, Self::Command, Self::KeyFile];

    /// Returns the name, as in the settings and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::SystemdCreds => "systemd-creds",
            Self::Command => "command",
            Self::KeyFile => "key_file",
        }
    }

    /// Returns whether a passphrase must be given, `None` if only the source knows.
    pub(super) fn needs_passphrase(self) -> Option<bool> {
        match self {
            Self::Passphrase => Some(true),
            Self::Keyring | Self::Command => None,
            Self::SystemdCreds | Self::KeyFile => Some(false),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeySource {
    type Err = String;

    /// Parses a name. `-` and `_` are the same.
    fn from_str(text: &str) -> Result<Self, String> {
        let same = |source: &Self| source.as_str().replace('-', "_") == text.replace('-', "_");
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| format!("{} is not a key source (known: {})", quote(text), known()))
    }
}

/// The answer to the question for a passphrase, if a source asks one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum PromptPolicy {
    /// The passphrase provider is asked.
    Allowed,
    /// Nobody is asked.
    No,
    /// The passphrase is this one.
    Given(Secret),
}

/// The purpose of a key. It decides what an error advises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// The key opens the store.
    Opening,
    /// The key is the first one of the store.
    First,
    /// The key replaces the store's key, which this source keeps.
    Rekey { from: Option<KeySource> },
}

/// A store, as a source needs to know it.
#[derive(Debug)]
pub(in crate::store) struct Context {
    pub when: Purpose,
    pub database: PathBuf,
    pub directory: PathBuf,
    /// The settings of the store.
    pub place: Place,
    pub asking: PromptPolicy,
}

impl Context {
    /// Returns the error of a source that cannot return the key.
    pub(crate) fn refuse(&self, source: impl fmt::Display, why: impl Into<String>) -> StoreError {
        StoreError::KeySource {
            path: self.database.clone(),
            source_name: source.to_string(),
            why: why.into(),
            replaces: matches!(self.when, Purpose::Rekey { .. }),
        }
    }
}
