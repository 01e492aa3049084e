//! The location of a store's key: the record of its key source.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, DataKey, KeySource, command, key_file, keyring, passphrase, systemd_creds};
use crate::store::{StoreError, crypto::seal::SealingKey};

/// Tries to open the data key with a wrapping key.
pub(in crate::store) type Open<'a> = &'a dyn Fn(&SealingKey) -> Option<DataKey>;

/// A key source, by the record of where it keeps a key: everything that it needs to return that key again. The database
/// has the source and its parameters in two columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(in crate::store) enum KeyLocation {
    Keyring(keyring::Parameters),
    Passphrase(passphrase::Derivation),
    SystemdCreds(systemd_creds::Parameters),
    Command(command::Parameters),
    KeyFile(key_file::Parameters),
}

impl KeyLocation {
    /// Returns `None` for an unknown source, or parameters that it does not understand.
    pub(crate) fn from_columns(source: &str, parameters: &str) -> Option<Self> {
        let source = KeySource::ALL.into_iter().find(|known| known.as_str() == source)?;
        let location = match source {
            KeySource::Keyring => serde_json::from_str(parameters).map(Self::Keyring),
            KeySource::Passphrase => serde_json::from_str(parameters).map(Self::Passphrase),
            KeySource::SystemdCreds => serde_json::from_str(parameters).map(Self::SystemdCreds),
            KeySource::Command => serde_json::from_str(parameters).map(Self::Command),
            KeySource::KeyFile => serde_json::from_str(parameters).map(Self::KeyFile),
        };
        location.ok()
    }

    /// Returns the columns `source` and `parameters`.
    pub(crate) fn columns(&self) -> (&'static str, String) {
        (self.source().as_str(), serde_json::to_string(self).unwrap_or_default())
    }

    pub(crate) fn source(&self) -> KeySource {
        match self {
            Self::Keyring(_) => KeySource::Keyring,
            Self::Passphrase(_) => KeySource::Passphrase,
            Self::SystemdCreds(_) => KeySource::SystemdCreds,
            Self::Command(_) => KeySource::Command,
            Self::KeyFile(_) => KeySource::KeyFile,
        }
    }

    /// Gets the data key.
    pub(crate) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        match self {
            Self::Keyring(entry) => entry.unwrap(context, open),
            Self::Passphrase(derivation) => derivation.unwrap(context, open),
            Self::SystemdCreds(sealed) => sealed.unwrap(context, open),
            Self::Command(command) => command.unwrap(context, open),
            Self::KeyFile(file) => file.unwrap(context, open),
        }
    }

    /// Returns the location in words for people.
    pub(crate) fn place(&self, context: &Context) -> String {
        match self {
            Self::Keyring(entry) => entry.place(),
            Self::Passphrase(_) => "a passphrase".into(),
            Self::SystemdCreds(_) => "systemd-creds".into(),
            Self::Command(_) => format!("the output of {}", command::SETTING),
            Self::KeyFile(file) => file.path(context).display().to_string(),
        }
    }

    /// Returns the path of the key file, if it is one. Such a key can be had at once, without a program or a person.
    pub(crate) fn file(&self, context: &Context) -> Option<PathBuf> {
        match self {
            Self::KeyFile(file) => Some(file.path(context)),
            _ => None,
        }
    }

    /// Returns names for the key that is kept outside of the database: two locations that share a name share that key.
    /// Empty if nothing is kept outside.
    pub(super) fn external(&self, context: &Context) -> Vec<String> {
        match self {
            Self::Keyring(entry) => vec![entry.account.clone()],
            // Copies of a file have the same fingerprint.
            Self::KeyFile(file) => vec![self.place(context), file.mark.clone()],
            _ => Vec::new(),
        }
    }

    /// Returns whether both are of one key outside of the database.
    pub(crate) fn is_same(&self, other: &Self, context: &Context) -> bool {
        let other = other.external(context);
        self.external(context).iter().any(|name| other.contains(name))
    }

    /// Puts a new key there, synced to the disk. Returns false if another process has just put one there.
    pub(super) fn install(&self, key: &SealingKey, context: &Context) -> Result<bool, StoreError> {
        match self {
            Self::Keyring(entry) => entry.install(key, context).map(|()| true),
            Self::KeyFile(file) => file.install(key, context),
            _ => Ok(true),
        }
    }

    /// Removes the key from there, if we made it and no other store can use it. Returns false if it is still there.
    pub(super) fn uninstall(&self, context: &Context) -> Result<bool, StoreError> {
        match self {
            Self::Keyring(entry) => entry.uninstall(context).map(|()| true),
            Self::KeyFile(file) => file.uninstall(context),
            _ => Ok(true),
        }
    }

    /// Returns the path that was chosen for the key file, if it is one.
    pub(crate) fn chosen_file(&self) -> Option<&Path> {
        match self {
            Self::KeyFile(file) => Some(&file.chosen),
            _ => None,
        }
    }
}

/// A new key, and the location where it is to be installed.
#[derive(Clone, Debug)]
pub(in crate::store) struct NewKey {
    pub location: KeyLocation,
    pub key: SealingKey,
}
