//! The key sources: what they are called, what is recorded of them, what they do.

use std::{fmt, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataKey, command, key_file, keyring, passphrase, systemd_creds};
use crate::{
    credential::Secret,
    redact::quote,
    store::{StoreError, crypto::seal::SealingKey, settings::KeyConfig},
};

/// What keeps the key of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeySource {
    /// The system's key ring: the Secret Service, on Linux.
    #[serde(rename = "keyring")]
    Keyring,
    /// A passphrase that is asked for.
    #[serde(rename = "passphrase")]
    Passphrase,
    /// systemd: the TPM, or a key that only root can read.
    #[serde(rename = "systemd-creds", alias = "systemd_creds")]
    SystemdCreds,
    /// A command that prints the passphrase.
    #[serde(rename = "command")]
    Command,
    /// A file with 32 random bytes.
    #[serde(rename = "key_file", alias = "key-file")]
    KeyFile,
}

impl KeySource {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Keyring, Self::Passphrase, Self::SystemdCreds, Self::Command, Self::KeyFile];

    /// Its name, as in the settings and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::SystemdCreds => "systemd-creds",
            Self::Command => "command",
            Self::KeyFile => "key_file",
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

    /// `-` and `_` are the same.
    fn from_str(text: &str) -> Result<Self, String> {
        let same = |source: &Self| source.as_str().replace('-', "_") == text.replace('-', "_");
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| format!("{} is no key source (known: {})", quote(text), known()))
    }
}

/// Where a passphrase comes from, should one be needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum PromptPolicy {
    /// The custodian.
    Allowed,
    /// Nowhere.
    No,
    /// It is this.
    Given(Secret),
}

/// What a key is needed for: what else can be done without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// To open the store: there is no other key.
    Opening,
    /// The store has none yet.
    First,
    /// The store has its old one still, from this source.
    Rekey { from: Option<KeySource> },
}

/// What a source needs to know of the store.
#[derive(Debug)]
pub(in crate::store) struct Context {
    pub when: Purpose,
    pub database: PathBuf,
    pub directory: PathBuf,
    pub asking: PromptPolicy,
}

impl Context {
    /// The error of a source that cannot give the key.
    pub fn refuse(&self, source: KeySource, why: impl Into<String>) -> StoreError {
        StoreError::KeySource {
            path: self.database.clone(),
            source_name: source.as_str().to_owned(),
            why: why.into(),
        }
    }
}

/// A key that a source has made, not yet put where it belongs.
#[derive(Debug)]
pub(in crate::store) struct NewKey {
    pub recorded: KeyLocation,
    pub key: SealingKey,
}

/// What is recorded of a source: all that it needs to give the key again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum KeyLocation {
    Keyring(keyring::Parameters),
    Passphrase(passphrase::Derivation),
    SystemdCreds(systemd_creds::Parameters),
    Command(command::Parameters),
    KeyFile(key_file::Parameters),
}

/// Tries to open the data key with a wrapping key.
pub(in crate::store) type Open<'a> = &'a dyn Fn(&SealingKey) -> Option<DataKey>;

impl KeyLocation {
    pub fn source(&self) -> KeySource {
        match self {
            Self::Keyring(_) => KeySource::Keyring,
            Self::Passphrase(_) => KeySource::Passphrase,
            Self::SystemdCreds(_) => KeySource::SystemdCreds,
            Self::Command(_) => KeySource::Command,
            Self::KeyFile(_) => KeySource::KeyFile,
        }
    }

    /// The columns `source` and `parameters`.
    pub fn to_columns(&self) -> (String, String) {
        let parameters = match self {
            Self::Keyring(parameters) => serde_json::to_string(parameters),
            Self::Passphrase(parameters) => serde_json::to_string(parameters),
            Self::SystemdCreds(parameters) => serde_json::to_string(parameters),
            Self::Command(parameters) => serde_json::to_string(parameters),
            Self::KeyFile(parameters) => serde_json::to_string(parameters),
        };
        (self.source().as_str().to_owned(), parameters.unwrap_or_default())
    }

    /// `None` for what is not known.
    pub fn from_columns(source: &str, parameters: &str) -> Option<Self> {
        match KeySource::ALL.into_iter().find(|known| known.as_str() == source)? {
            KeySource::Keyring => serde_json::from_str(parameters).ok().map(Self::Keyring),
            KeySource::Passphrase => serde_json::from_str(parameters).ok().map(Self::Passphrase),
            KeySource::SystemdCreds => serde_json::from_str(parameters).ok().map(Self::SystemdCreds),
            KeySource::Command => serde_json::from_str(parameters).ok().map(Self::Command),
            KeySource::KeyFile => serde_json::from_str(parameters).ok().map(Self::KeyFile),
        }
    }

    /// Gets the data key.
    pub fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        match self {
            Self::Keyring(parameters) => keyring::unwrap(parameters, context, open),
            Self::Passphrase(derivation) => passphrase::unwrap(derivation, context, open),
            Self::SystemdCreds(parameters) => systemd_creds::unwrap(parameters, context, open),
            Self::Command(parameters) => command::unwrap(parameters, context, open),
            Self::KeyFile(parameters) => key_file::unwrap(parameters, context, open),
        }
    }

    /// Puts a fresh key where it belongs, durably. False when somebody else has put one there meanwhile.
    pub fn install(&self, key: &SealingKey, context: &Context) -> Result<bool, StoreError> {
        match self {
            Self::Keyring(parameters) => keyring::establish(parameters, key, context).map(|()| true),
            Self::KeyFile(parameters) => key_file::establish(parameters, key, context),
            Self::Passphrase(_) | Self::SystemdCreds(_) | Self::Command(_) => Ok(true),
        }
    }

    /// Removes it from there, if it was made by us and nobody else can have it. False when it is still there.
    pub fn uninstall(&self, context: &Context) -> Result<bool, StoreError> {
        match self {
            Self::Keyring(parameters) => keyring::discard(parameters, context).map(|()| true),
            Self::KeyFile(parameters) => key_file::discard(parameters, context),
            Self::Passphrase(_) | Self::SystemdCreds(_) | Self::Command(_) => Ok(true),
        }
    }

    /// Whether both are of what is in one place outside of the database.
    pub fn is_same(&self, other: &Self, context: &Context) -> bool {
        match (self, other) {
            (Self::Keyring(one), Self::Keyring(other)) => one == other,
            (Self::KeyFile(one), Self::KeyFile(other)) => one.is_same(other, context),
            _ => false,
        }
    }

    /// What is recorded of a key file, if it is one.
    pub fn as_key_file(&self) -> Option<&key_file::Parameters> {
        match self {
            Self::KeyFile(parameters) => Some(parameters),
            _ => None,
        }
    }

    /// Whether it puts something somewhere outside of the database.
    pub fn is_external(&self) -> bool {
        matches!(self, Self::Keyring(_) | Self::KeyFile(_))
    }

    /// Whether it gives the key without anybody having to do anything, at once.
    pub fn is_always_open(&self) -> bool {
        matches!(self, Self::KeyFile(_))
    }

    /// Where it has the key, for people.
    pub fn place(&self, context: &Context) -> String {
        match self {
            Self::Keyring(parameters) => format!("the key ring, as authenticate {}", parameters.account),
            Self::Passphrase(_) => "a passphrase".into(),
            Self::SystemdCreds(_) => "systemd-creds".into(),
            Self::Command(parameters) => {
                let words = shlex::try_join(parameters.command.iter().map(String::as_str));
                format!("what `{}` prints", words.unwrap_or_default())
            }
            Self::KeyFile(parameters) => parameters.path(context).display().to_string(),
        }
    }

    /// Whether these settings, which name this source, would have led to it.
    pub fn is_wished(&self, wish: &KeyConfig) -> bool {
        match self {
            Self::Command(parameters) => {
                wish.passphrase_command.as_ref().is_none_or(|command| *command == parameters.command)
            }
            Self::KeyFile(parameters) => {
                wish.key_file.as_ref().is_none_or(|file| parameters.is_chosen_by(file))
            }
            Self::Keyring(_) | Self::Passphrase(_) | Self::SystemdCreds(_) => true,
        }
    }
}
