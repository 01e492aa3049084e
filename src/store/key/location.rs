//! The location of a store's key: the record of its key source, and the registry of all sources.

use std::{fmt, ops::Deref, path::PathBuf, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{Context, DataKey, KeySource, command, key_file, keyring, passphrase, systemd_creds};
use crate::{
    credential::Secret,
    store::{StoreError, crypto::seal::SealingKey, settings::KeyConfig},
};

/// Tries to open the data key with a wrapping key.
pub(in crate::store) type Open<'a> = &'a dyn Fn(&SealingKey) -> Option<DataKey>;

/// A key source, by the record of where it keeps a key: everything that it needs to return that key again.
pub(in crate::store) trait Location: fmt::Debug + Send + Sync {
    /// Does what may take long before a key is made, and returns the passphrase if the source needs one.
    fn prepare(_: &KeyConfig, _: &Context) -> Result<Option<Secret>, StoreError>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// Makes a key. It is installed nowhere yet.
    fn plan(request: &Request<'_>, context: &Context) -> Result<NewKey, StoreError>
    where
        Self: Sized;

    /// Gets the data key.
    fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError>;

    /// Returns the location in words for people.
    fn place(&self, context: &Context) -> String;

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

    /// Returns whether the key can be had at once, without a program or a person.
    fn is_always_open(&self) -> bool {
        false
    }

    /// Returns whether a passphrase must be given, `None` if only the source knows.
    fn needs_passphrase(&self) -> Option<bool> {
        Some(false)
    }

    /// Returns the path of the key file, if it is one.
    fn file(&self, _: &Context) -> Option<PathBuf> {
        None
    }

    /// Returns whether these settings, which name this source, would have led to this location.
    fn matches(&self, _: &KeyConfig) -> bool {
        true
    }

    /// Completes settings that name this source with those that led to this location.
    fn complete(&self, _: &mut KeyConfig) {}
}

/// A location with what the database records of it.
#[derive(Clone, Debug)]
pub(in crate::store) struct KeyLocation {
    source: KeySource,
    parameters: String,
    location: Arc<dyn Location>,
}

impl KeyLocation {
    pub(crate) fn new(source: KeySource, location: impl Location + Serialize + 'static) -> Self {
        let parameters = serde_json::to_string(&location).unwrap_or_default();
        Self { source, parameters, location: Arc::new(location) }
    }

    /// Returns `None` for an unknown source, or parameters that it does not understand.
    pub(crate) fn from_columns(source: &str, parameters: &str) -> Option<Self> {
        let source = KeySource::ALL.into_iter().find(|known| known.as_str() == source)?;
        (entry(source).parse)(source, parameters)
    }

    /// Returns the columns `source` and `parameters`.
    pub(crate) fn columns(&self) -> (&'static str, &str) {
        (self.source.as_str(), &self.parameters)
    }

    pub(crate) fn source(&self) -> KeySource {
        self.source
    }

    /// Returns whether the source keeps a key outside of the database.
    pub(crate) fn is_external(&self, context: &Context) -> bool {
        !self.external(context).is_empty()
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

impl PartialEq for KeyLocation {
    fn eq(&self, other: &Self) -> bool {
        self.columns() == other.columns()
    }
}

/// A new key, and the location where it is to be installed.
#[derive(Debug)]
pub(in crate::store) struct NewKey {
    pub location: KeyLocation,
    pub key: SealingKey,
}

/// A request for a new key.
pub(in crate::store) struct Request<'a> {
    pub config: &'a KeyConfig,
    pub passphrase: &'a Secret,
    /// The locations that must not be used again.
    pub spent: &'a [KeyLocation],
}

/// A key source in the registry.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct SourceEntry {
    pub source: KeySource,
    parse: fn(KeySource, &str) -> Option<KeyLocation>,
    pub prepare: fn(&KeyConfig, &Context) -> Result<Option<Secret>, StoreError>,
    pub plan: fn(&Request<'_>, &Context) -> Result<NewKey, StoreError>,
}

/// Returns a key source from the registry.
pub(super) fn entry(source: KeySource) -> SourceEntry {
    match source {
        KeySource::Keyring => new_entry::<keyring::Parameters>(source),
        KeySource::Passphrase => new_entry::<passphrase::Derivation>(source),
        KeySource::SystemdCreds => new_entry::<systemd_creds::Parameters>(source),
        KeySource::Command => new_entry::<command::Parameters>(source),
        KeySource::KeyFile => new_entry::<key_file::Parameters>(source),
    }
}

fn new_entry<T: Location + Serialize + DeserializeOwned + 'static>(source: KeySource) -> SourceEntry {
    let parse = |source, parameters: &str| {
        serde_json::from_str::<T>(parameters).ok().map(|location| KeyLocation::new(source, location))
    };
    SourceEntry { source, parse, prepare: T::prepare, plan: T::plan }
}
