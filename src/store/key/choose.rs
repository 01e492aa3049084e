//! Choosing a key source: once for a store, and again for a rekey.

use std::path::PathBuf;

use rusqlite::Connection;

use super::{
    Context, KeyLocation, KeySource, NewKey, command, key_file,
    keyring::{self, KeyringFailure},
    passphrase, systemd_creds, unused,
};
use crate::store::{StoreError, db::change::ATTEMPTS, error::Fault, settings::KeyConfig};

/// A source that was chosen, with everything that had to be asked for.
#[derive(Debug)]
pub(in crate::store) enum ChosenSource {
    /// A key that the source has made.
    Made(NewKey),
    /// The key file at this path. Whether it is made or taken is decided when no other process can do the same.
    KeyFile(Option<PathBuf>),
}

/// Chooses a source, and has it make a key that is installed nowhere yet. This may take long, or ask.
pub(in crate::store) fn choose(config: KeyConfig, context: &Context) -> Result<ChosenSource, StoreError> {
    if config.source == Some(KeySource::Keyring) {
        keyring::probe().map_err(|failure| failure.error(context))?;
    }
    let made = match config.source.map_or_else(|| automatic(context), Ok)? {
        KeySource::KeyFile => return Ok(ChosenSource::KeyFile(config.key_file)),
        KeySource::Keyring => keyring::make()?,
        KeySource::Passphrase => passphrase::make(context)?,
        KeySource::SystemdCreds => systemd_creds::make(context)?,
        KeySource::Command => command::make(context)?,
    };
    Ok(ChosenSource::Made(made))
}

/// Returns the key ring if there is one, else the key file. A key ring that is locked or slow is there: that is no
/// reason to take another source.
fn automatic(context: &Context) -> Result<KeySource, StoreError> {
    if !keyring::has_bus() {
        return Ok(KeySource::KeyFile);
    }
    match keyring::probe() {
        Ok(()) => Ok(KeySource::Keyring),
        Err(failure @ (KeyringFailure::Locked | KeyringFailure::TimedOut)) => Err(failure.error(context)),
        Err(_) => Ok(KeySource::KeyFile),
    }
}

impl ChosenSource {
    /// Installs the key, at none of the `spent` locations, and lists it as unused until it is in use.
    pub(in crate::store) fn install(
        &self,
        spent: &[KeyLocation],
        context: &Context,
        connection: &Connection,
    ) -> Result<NewKey, Fault> {
        for _ in 0..ATTEMPTS {
            let new = match self {
                Self::Made(new) => new.clone(),
                Self::KeyFile(path) => key_file::plan(path.as_deref(), spent, context)?,
            };
            unused::add(connection, &new.location)?;
            if new.location.install(&new.key, context)? {
                return Ok(new);
            }
            // Another store has just made the key file that both were told to use. The next plan takes that one.
            unused::remove(connection, &new.location)?;
        }
        Err(StoreError::Busy { path: context.database.clone() }.into())
    }
}
