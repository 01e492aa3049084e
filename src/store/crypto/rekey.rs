//! Giving a store another data key, and perhaps another key source.
//!
//! A process that is killed at any moment leaves a store with the old key or the new one. What the new source keeps
//! outside of the database is made before the one transaction that seals everything anew, and what the old source
//! keeps is removed after it. What a killed process leaves outside is listed in `unused_key`; the next one removes it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::seal_all::seal_all;
use crate::{
    credential::Secret,
    store::{
        Action, Store, StoreError,
        db::migrate::lock_directory,
        key::{
            ChosenSource, Context, DataKey, KeyLocation, KeySource, PromptPolicy, Purpose, Row, choose,
            passphrase_provider, session, sweep, unused,
        },
        settings::KeyConfig,
    },
};

/// The settings of a new key.
#[derive(Clone, Debug, Default)]
pub struct Rekey {
    /// The key source. Default: the present one.
    pub source: Option<KeySource>,
    /// The path of a key file. Default: the one in the settings.
    pub key_file: Option<PathBuf>,
    /// The new passphrase. Default: it is asked for.
    pub passphrase: Option<Secret>,
}

/// A rekey that is decided on, with everything that had to be asked for.
pub(crate) struct Prepared {
    context: Context,
    old_key: Arc<DataKey>,
    old: Option<KeyLocation>,
    /// Whether plain bytes were erased from the files.
    erased: bool,
    chosen: ChosenSource,
}

impl Store {
    /// Seals everything with a new data key, which the chosen source keeps. A store without a key gets one.
    ///
    /// [`rekey`](crate::refresh::maintenance::rekey) waits for refreshes that are in flight.
    ///
    /// # Errors
    /// - [`StoreError::NotOpened`] for a credential that does not open: it would be lost.
    /// - [`StoreError::RefreshInFlight`] while a refresh is in flight.
    /// - [`StoreError::Busy`] and [`StoreError::KeyChanged`] if another process rekeys the store, or just has.
    ///
    /// And those of [`Store::prepare`]. After any of them, the old key is in use.
    pub fn rekey(&self, how: &Rekey) -> Result<(), StoreError> {
        let done = self.prepare_rekey(how).and_then(|prepared| self.rekey_as_prepared(&prepared));
        self.audited(Action::Rekey, done)
    }

    /// Does everything that may take long, or ask.
    pub(crate) fn prepare_rekey(&self, how: &Rekey) -> Result<Prepared, StoreError> {
        let old_key = self.key(PromptPolicy::Allowed)?;
        let asking = how.passphrase.clone().map_or(PromptPolicy::Allowed, PromptPolicy::Given);
        let row = self.key_row()?;
        let erased = row.as_ref().is_none_or(|row| row.erased);
        let old = row.and_then(|row| row.location());
        let from = old.as_ref().map(KeyLocation::source);
        let context = Context { when: Purpose::Rekey { from }, ..self.context(asking) };
        let chosen = choose(self.new_key_config(how, old.as_ref())?, &context)?;
        Ok(Prepared { context, old_key, old, erased, chosen })
    }

    pub(crate) fn rekey_as_prepared(&self, prepared: &Prepared) -> Result<(), StoreError> {
        let Prepared { context, old_key, old, erased, chosen } = prepared;
        let lock = lock_directory(&context.database)?;
        // Before anything is made outside of the database: what the old key needs may be in the new one's way.
        self.refuse_if_key_changed(&self.connection)?;
        self.refuse_while_in_flight(&self.connection)?;
        self.with_path(sweep(&self.connection, context))?;
        let mut spent = self.with_path(unused::read(&self.connection))?;
        spent.extend(old.clone());
        let new = self.with_path(chosen.install(&spent, context, &self.connection))?;
        let new_key = DataKey::random()?;
        self.change(|change| {
            self.refuse_if_key_changed(change)?;
            self.refuse_while_in_flight(change)?;
            seal_all(change, &new_key, |row| Ok(self.record_of(row, old_key)?.credential.encode()))?;
            Row::wrap(&new_key, &new, *erased)?.write(change)?;
            unused::remove(change, &new.location)?;
            if let Some(old) = old.as_ref().filter(|old| **old != new.location) {
                unused::add(change, old)?;
            }
            Ok(self.record(change, Action::Rekey, None)?)
        })?;
        self.keep(new_key);
        session::forget(&old_key.id);
        // The rekey is done. What cannot be removed now is removed by the next one.
        let _ = sweep(&self.connection, context);
        drop(lock);
        self.erase_plain();
        let (provider, location) = (passphrase_provider(), new.location);
        provider.chosen(&context.database, location.source(), &location.place(context));
        let file = old.as_ref().filter(|old| **old != location).and_then(|old| old.file(context));
        if let Some(file) = file.filter(|file| file.exists()) {
            provider.left(&file);
        }
        Ok(())
    }

    fn refuse_if_key_changed(&self, connection: &rusqlite::Connection) -> Result<(), StoreError> {
        let is_ours = self.key_at_hand(connection)?.map(drop);
        is_ours.ok_or_else(|| StoreError::KeyChanged { path: self.place() })
    }

    /// Completes the request with the settings, and those with the present key's.
    fn new_key_config(&self, how: &Rekey, old: Option<&KeyLocation>) -> Result<KeyConfig, StoreError> {
        let mut config = self.place.key_config()?;
        config.source = how.source.or_else(|| old.map(KeyLocation::source));
        let present = || old.and_then(KeyLocation::chosen_file).map(Path::to_owned);
        config.key_file = how.key_file.clone().or(config.key_file).or_else(present);
        Ok(config)
    }
}
