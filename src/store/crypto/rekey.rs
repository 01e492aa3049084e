//! Another data key, and perhaps another key source.
//!
//! Killed at any moment, the store has the old key or the new one: what the new source keeps outside of the database
//! is there before the one transaction that seals everything anew, and what the old one keeps is removed after it.
//! What a killed one left outside is listed in `unused_key`, and removed by the next.

use std::{path::PathBuf, sync::Arc};

use rusqlite::Connection;

use super::{ledger::Ledger, seal};
use crate::{
    credential::{Address, Secret},
    store::{
        Action, Store, StoreError,
        db::migrate::lock_directory,
        key::{
            ChosenSource, Context, DataKey, KeyLocation, KeySource, PromptPolicy, Purpose, Row, choose,
            passphrase_provider, session, sweep, unused, wrap,
        },
        record::row::COLUMNS,
        settings::KeyConfig,
    },
};

/// What the new key should be like.
#[derive(Clone, Debug, Default)]
pub struct Rekey {
    /// The source; as it is, if there is none.
    pub source: Option<KeySource>,
    /// For a key file: where. As the settings say, if there is none.
    pub key_file: Option<PathBuf>,
    /// For a passphrase: the new one. It is asked for, if there is none.
    pub passphrase: Option<Secret>,
}

/// Another key that is decided on, with all that had to be asked for.
pub(crate) struct Prepared {
    context: Context,
    old_key: Arc<DataKey>,
    old: Option<KeyLocation>,
    /// Whether what was plain before is gone from the files.
    erased: bool,
    chosen: ChosenSource,
}

impl Store {
    /// Seals everything under a new data key, which the source named keeps. A store that has no key yet gets one.
    ///
    /// Renewals that are under way are waited for by [`lifecycle::undisturbed::rekey`](crate::refresh::maintenance::rekey).
    ///
    /// # Errors
    /// [`StoreError::NotOpened`] for a credential that does not open: it would be lost. [`StoreError::RefreshInFlight`] while a
    /// token is under way. [`StoreError::Busy`] and
    /// [`StoreError::KeyChanged`] when somebody else does the same, or has just done it. What [`Store::prepare`] has. Whatever it is, the old key holds.
    pub fn rekey(&self, how: &Rekey) -> Result<(), StoreError> {
        let done = self.prepare_rekey(how).and_then(|prepared| self.rekey_as_prepared(&prepared));
        self.audited(Action::Rekey, done)
    }

    /// All that may take long, or ask.
    pub(crate) fn prepare_rekey(&self, how: &Rekey) -> Result<Prepared, StoreError> {
        let failed = |source| self.failed(source);
        let old_key = self.key(PromptPolicy::Allowed)?;
        let asking = how.passphrase.clone().map_or(PromptPolicy::Allowed, PromptPolicy::Given);
        let row = Row::read(&self.connection).map_err(failed)?;
        let erased = row.as_ref().is_none_or(|row| row.erased);
        let old = row.and_then(|row| KeyLocation::from_columns(&row.source, &row.parameters));
        let from = old.as_ref().map(KeyLocation::source);
        let context = Context { when: Purpose::Rekey { from }, ..self.context(asking) };
        let chosen = choose(self.wish_for(how, old.as_ref())?, &context)?;
        Ok(Prepared { context, old_key, old, erased, chosen })
    }

    pub(crate) fn rekey_as_prepared(&self, prepared: &Prepared) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let Prepared { context, old_key, old, erased, chosen } = prepared;
        let turn = lock_directory(&context.database)?;
        let changed = || StoreError::KeyChanged { path: context.database.clone() };
        // Before anything is made outside of the database: what is planned for the old key may be in the new one's way.
        if self.key_at_hand(&self.connection).map_err(failed)?.is_none() {
            return Err(changed());
        }
        self.refuse_while_in_flight(&self.connection)?;
        sweep(&self.connection, context)?;
        let mut spent = unused::read(&self.connection).map_err(failed)?;
        spent.extend(old.clone());
        let fresh = chosen.make(&spent, context, &self.connection)?;
        let new_key = DataKey::random()?;
        let change = self.begin()?;
        if self.key_at_hand(&change).map_err(failed)?.is_none() {
            return Err(changed());
        }
        self.refuse_while_in_flight(&change)?;
        self.seal_anew(&change, old_key, &new_key)?;
        wrap(&new_key, &fresh, *erased)?.write(&change).map_err(failed)?;
        unused::remove(&change, &fresh.recorded).map_err(failed)?;
        let old = old.as_ref().filter(|old| old.is_external() && **old != fresh.recorded);
        if let Some(old) = old {
            unused::add(&change, old).map_err(failed)?;
        }
        self.record(&change, Action::Rekey, None).map_err(failed)?;
        change.commit().map_err(failed)?;

        self.keep(new_key);
        session::forget(&old_key.id);
        self.tidy_up_on_close()?;
        // It is done; what cannot be tidied up now is the next one's.
        let _ = sweep(&self.connection, context);
        drop(turn);
        self.erase_what_was_plain();
        if let Some(custodian) = passphrase_provider() {
            custodian.chosen(&context.database, chosen.source, &fresh.recorded.place(context));
            let file = old.and_then(KeyLocation::as_key_file).map(|old| old.path(context));
            if let Some(file) = file.filter(|file| file.exists()) {
                custodian.left(&file);
            }
        }
        Ok(())
    }

    /// What is not said is as the settings say; what they do not say either is as it was.
    fn wish_for(&self, how: &Rekey, old: Option<&KeyLocation>) -> Result<KeyConfig, StoreError> {
        let mut wish = self.place.key_config()?;
        wish.source = how.source.or_else(|| old.map(KeyLocation::source));
        wish.key_file = how.key_file.clone().or(wish.key_file);
        match old {
            Some(KeyLocation::Command(old)) => {
                wish.passphrase_command = wish.passphrase_command.or_else(|| Some(old.command.clone()));
            }
            Some(KeyLocation::KeyFile(old)) if wish.source == Some(KeySource::KeyFile) => {
                wish.key_file = wish.key_file.or_else(|| Some(old.chosen().to_owned()));
            }
            _ => {}
        }
        Ok(wish)
    }

    fn seal_anew(&self, change: &Connection, old: &DataKey, new: &DataKey) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let ledger = Ledger::read(change, old).map_err(|e| self.ledger_failed(e))?;
        let mut sealed: Vec<(Address, i64, Vec<u8>)> = Vec::new();
        let mut read =
            change.prepare(&format!("SELECT {COLUMNS}, secret FROM credential")).map_err(failed)?;
        let mut rows = read.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let record = self.record_of(row, old, &ledger).map_err(failed)??;
            let bytes = seal::seal(&new.key, &record.address, record.version, &record.credential)?;
            sealed.push((record.address, record.version, bytes));
        }
        drop(rows);
        let mut write = change
            .prepare(
                "UPDATE credential SET secret = ? WHERE provider = ? AND credential_set = ? AND profile = ?",
            )
            .map_err(failed)?;
        for (address, _, bytes) in &sealed {
            let [provider, set, profile] = crate::store::db::change::key(address);
            write.execute((bytes, provider, set, profile)).map_err(failed)?;
        }
        let current = sealed.iter().map(|(address, version, _)| (address, *version));
        Ledger::write_all(change, new, current).map_err(|e| self.ledger_failed(e))
    }
}
