//! Choosing a key source: once for a store, and again for `rekey`.

use rusqlite::Connection;

use super::{
    ATTEMPTS, Context, KeyLocation, KeySource, NewKey, command, key_file,
    keyring::{self, KeyringFailure},
    passphrase, systemd_creds, unused,
};
use crate::{
    credential::Secret,
    store::{StoreError, settings::KeyConfig},
};

/// A source that was chosen, with all that had to be asked for.
#[derive(Debug)]
pub(in crate::store) struct ChosenSource {
    pub source: KeySource,
    wish: KeyConfig,
    passphrase: Option<Secret>,
}

/// Chooses, and asks what has to be asked: all that may take long.
pub(in crate::store) fn choose(wish: KeyConfig, context: &Context) -> Result<ChosenSource, StoreError> {
    let source = match wish.source {
        Some(KeySource::Keyring) => {
            keyring::probe().map_err(|trouble| trouble.error(context))?;
            KeySource::Keyring
        }
        Some(source) => source,
        None => automatic(context)?,
    };
    let passphrase = match source {
        KeySource::Passphrase => Some(passphrase::ask_new(context)?),
        KeySource::Command => Some(command::passphrase(words(&wish), context)?),
        KeySource::KeyFile | KeySource::Keyring | KeySource::SystemdCreds => None,
    };
    Ok(ChosenSource { source, wish, passphrase })
}

/// The key ring, where there is one that works, else a key file. One that is locked or slow to answer is there: that
/// is no reason to take another source.
fn automatic(context: &Context) -> Result<KeySource, StoreError> {
    if !keyring::has_bus() {
        return Ok(KeySource::KeyFile);
    }
    match keyring::probe() {
        Ok(()) => Ok(KeySource::Keyring),
        Err(trouble @ (KeyringFailure::Locked | KeyringFailure::TimedOut)) => Err(trouble.error(context)),
        Err(KeyringFailure::Absent(_) | KeyringFailure::Missing | KeyringFailure::Other(_)) => {
            Ok(KeySource::KeyFile)
        }
    }
}

fn words(wish: &KeyConfig) -> &[String] {
    wish.passphrase_command.as_deref().unwrap_or_default()
}

impl ChosenSource {
    /// Makes a key that is none of those that are `spent`, and puts it where it belongs, noted as one of no use yet.
    pub(in crate::store) fn make(
        &self,
        spent: &[KeyLocation],
        context: &Context,
        connection: &Connection,
    ) -> Result<NewKey, StoreError> {
        let failed = |source| StoreError::from_sqlite(context.database.clone(), source);
        for _ in 0..ATTEMPTS {
            let fresh = self.plan(spent, context)?;
            if !fresh.recorded.is_external() {
                return Ok(fresh);
            }
            unused::add(connection, &fresh.recorded).map_err(failed)?;
            if fresh.recorded.install(&fresh.key, context)? {
                return Ok(fresh);
            }
            // Another store has just made the file that both were told to have: it is there to be taken now.
            unused::remove(connection, &fresh.recorded).map_err(failed)?;
        }
        Err(StoreError::Busy { path: context.database.clone() })
    }

    /// Makes a key, and puts it nowhere yet.
    fn plan(&self, spent: &[KeyLocation], context: &Context) -> Result<NewKey, StoreError> {
        let passphrase = || self.passphrase.clone().unwrap_or_else(|| Secret::new(""));
        match self.source {
            KeySource::Keyring => keyring::plan(),
            KeySource::Passphrase => passphrase::plan(&passphrase(), context),
            KeySource::SystemdCreds => systemd_creds::plan(context),
            KeySource::Command => command::plan(words(&self.wish), &passphrase(), context),
            KeySource::KeyFile => key_file::plan(self.wish.key_file.as_deref(), spent, context),
        }
    }
}
