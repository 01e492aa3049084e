//! Choosing a key source: once for a store, and again for a rekey.

use rusqlite::Connection;

use super::{
    ATTEMPTS, Context, KeySource, NewKey,
    keyring::{self, KeyringFailure},
    location::{KeyLocation, Request, SourceEntry, entry},
    unused,
};
use crate::{
    credential::Secret,
    store::{StoreError, settings::KeyConfig},
};

/// A source that was chosen, with everything that had to be asked for.
#[derive(Debug)]
pub(in crate::store) struct ChosenSource {
    entry: SourceEntry,
    config: KeyConfig,
    passphrase: Secret,
}

/// Chooses a source, and asks for its passphrase. This may take long.
pub(in crate::store) fn choose(config: KeyConfig, context: &Context) -> Result<ChosenSource, StoreError> {
    let (entry, passphrase) = match config.source.map(entry) {
        Some(entry) => (entry, (entry.prepare)(&config, context)?),
        None => (entry(automatic(context)?), None),
    };
    Ok(ChosenSource { entry, config, passphrase: passphrase.unwrap_or_else(|| Secret::new("")) })
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
        Err(KeyringFailure::Absent(_) | KeyringFailure::Missing | KeyringFailure::Other(_)) => {
            Ok(KeySource::KeyFile)
        }
    }
}

impl ChosenSource {
    pub(in crate::store) fn source(&self) -> KeySource {
        self.entry.source
    }

    /// Makes a key at none of the `spent` locations and installs it, listed as unused until it is in use.
    pub(in crate::store) fn make(
        &self,
        spent: &[KeyLocation],
        context: &Context,
        connection: &Connection,
    ) -> Result<NewKey, StoreError> {
        let failed = |source| StoreError::from_sqlite(context.database.clone(), source);
        let request = Request { config: &self.config, passphrase: &self.passphrase, spent };
        for _ in 0..ATTEMPTS {
            let new = (self.entry.plan)(&request, context)?;
            if !new.location.is_external(context) {
                return Ok(new);
            }
            unused::add(connection, &new.location).map_err(failed)?;
            if new.location.install(&new.key, context)? {
                return Ok(new);
            }
            // Another store has just made the key file that both were told to use. The next plan takes that one.
            unused::remove(connection, &new.location).map_err(failed)?;
        }
        Err(StoreError::Busy { path: context.database.clone() })
    }
}
