//! The location of a store's key: the record of its key source.

use std::{fmt, ops::Deref, path::PathBuf, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{Context, DataKey, KeySource, command, key_file, keyring, passphrase, systemd_creds};
use crate::store::{StoreError, crypto::seal::SealingKey, settings::KeyConfig};

/// Tries to open the data key with a wrapping key.
pub(in crate::store) type Open<'a> = &'a dyn Fn(&SealingKey) -> Option<DataKey>;

/// A key source, by the record of where it keeps a key: everything that it needs to return that key again.
pub(in crate::store) trait Location: fmt::Debug + Send + Sync {
    /// Gets the data key.
    fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError>;

    /// Returns the location in words for people.
    fn place(&self, context: &Context) -> String;

    /// Returns the path of the key file, if it is one. Such a key can be had at once, without a program or a person.
    fn file(&self, _: &Context) -> Option<PathBuf> {
        None
    }

    /// Returns names for the key that is kept outside of the database: two locations that share a name share that key.
    /// Empty if nothing is kept outside.
    fn external(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    /// Puts a new key there, synced to the disk. Returns false if another process has just put one there.
    fn install(&self, _: &SealingKey, _: &Context) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Removes the key from there, if we made it and no other store can use it. Returns false if it is still there.
    fn uninstall(&self, _: &Context) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Returns the settings that led to this location, apart from the name of the source.
    fn settings(&self) -> KeyConfig {
        KeyConfig::default()
    }
}

/// A location with what the database records of it.
#[derive(Clone, Debug)]
pub(in crate::store) struct KeyLocation {
    pub source: KeySource,
    parameters: String,
    location: Arc<dyn Location>,
}

impl KeyLocation {
    pub(super) fn new(source: KeySource, location: impl Location + Serialize + 'static) -> Self {
        let parameters = serde_json::to_string(&location).unwrap_or_default();
        Self { source, parameters, location: Arc::new(location) }
    }

    /// Returns `None` for an unknown source, or parameters that it does not understand.
    pub(crate) fn from_columns(source: &str, parameters: &str) -> Option<Self> {
        fn parse<T: Location + Serialize + DeserializeOwned + 'static>(
            source: KeySource,
            parameters: &str,
        ) -> Option<KeyLocation> {
            Some(KeyLocation::new(source, serde_json::from_str::<T>(parameters).ok()?))
        }
        let source = KeySource::ALL.into_iter().find(|known| known.as_str() == source)?;
        match source {
            KeySource::Keyring => parse::<keyring::Parameters>(source, parameters),
            KeySource::Passphrase => parse::<passphrase::Derivation>(source, parameters),
            KeySource::SystemdCreds => parse::<systemd_creds::Parameters>(source, parameters),
            KeySource::Command => parse::<command::Parameters>(source, parameters),
            KeySource::KeyFile => parse::<key_file::Parameters>(source, parameters),
        }
    }

    /// Returns the columns `source` and `parameters`.
    pub(crate) fn columns(&self) -> (&'static str, &str) {
        (self.source.as_str(), &self.parameters)
    }

    /// Returns whether both are of one key outside of the database.
    pub(crate) fn is_same(&self, other: &Self, context: &Context) -> bool {
        let other = other.external(context);
        self.external(context).iter().any(|name| other.contains(name))
    }
}

impl Deref for KeyLocation {
    type Target = dyn Location;

    fn deref(&self) -> &Self::Target {
        &*self.location
    }
}

/// A new key, and the location where it is to be installed.
#[derive(Clone, Debug)]
pub(in crate::store) struct NewKey {
    pub location: KeyLocation,
    pub key: SealingKey,
}
