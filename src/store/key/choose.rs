//! Choosing a key source: once for a store, and again for `rekey`.

use rusqlite::Connection;

use super::{
    ATTEMPTS, Context, Fresh, Recorded, Source, command, key_file,
    keyring::{self, Trouble},
    passphrase, systemd_creds, unused,
};
use crate::{
    credential::Secret,
    store::{StoreError, settings::Wish},
};

/// A source that was chosen, with all that had to be asked for.
#[derive(Debug)]
pub(in crate::store) struct Chosen {
    pub source: Source,
    wish: Wish,
    passphrase: Option<Secret>,
}

/// Chooses, and asks what has to be asked: all that may take long.
pub(in crate::store) fn choose(wish: Wish, context: &Context) -> Result<Chosen, StoreError> {
    let source = match wish.source {
        Some(Source::Keyring) => {
            keyring::probe().map_err(|trouble| trouble.error(context))?;
            Source::Keyring
        }
        Some(source) => source,
        None => automatic(context)?,
    };
    let passphrase = match source {
        Source::Passphrase => Some(passphrase::ask_new(context)?),
        Source::Command => Some(command::passphrase(words(&wish), context)?),
        Source::KeyFile | Source::Keyring | Source::SystemdCreds => None,
    };
    Ok(Chosen { source, wish, passphrase })
}

/// The key ring, where there is one that works, else a key file. One that is locked or slow to answer is there: that
/// is no reason to take another source.
fn automatic(context: &Context) -> Result<Source, StoreError> {
    if !keyring::has_bus() {
        return Ok(Source::KeyFile);
    }
    match keyring::probe() {
        Ok(()) => Ok(Source::Keyring),
        Err(trouble @ (Trouble::Locked | Trouble::TimedOut)) => Err(trouble.error(context)),
        Err(Trouble::Absent(_) | Trouble::Missing | Trouble::Other(_)) => Ok(Source::KeyFile),
    }
}

fn words(wish: &Wish) -> &[String] {
    wish.passphrase_command.as_deref().unwrap_or_default()
}

impl Chosen {
    /// Makes a key that is none of those that are `spent`, and puts it where it belongs, noted as one of no use yet.
    pub(in crate::store) fn make(
        &self,
        spent: &[Recorded],
        context: &Context,
        connection: &Connection,
    ) -> Result<Fresh, StoreError> {
        let failed = |source| StoreError::from_sqlite(context.database.clone(), source);
        for _ in 0..ATTEMPTS {
            let fresh = self.plan(spent, context)?;
            if !fresh.recorded.is_external() {
                return Ok(fresh);
            }
            unused::add(connection, &fresh.recorded).map_err(failed)?;
            if fresh.recorded.establish(&fresh.key, context)? {
                return Ok(fresh);
            }
            // Another store has just made the file that both were told to have: it is there to be taken now.
            unused::remove(connection, &fresh.recorded).map_err(failed)?;
        }
        Err(StoreError::Busy { path: context.database.clone() })
    }

    /// Makes a key, and puts it nowhere yet.
    fn plan(&self, spent: &[Recorded], context: &Context) -> Result<Fresh, StoreError> {
        let passphrase = || self.passphrase.clone().unwrap_or_else(|| Secret::new(""));
        match self.source {
            Source::Keyring => keyring::plan(),
            Source::Passphrase => passphrase::plan(&passphrase(), context),
            Source::SystemdCreds => systemd_creds::plan(context),
            Source::Command => command::plan(words(&self.wish), &passphrase(), context),
            Source::KeyFile => key_file::plan(self.wish.key_file.as_deref(), spent, context),
        }
    }
}
