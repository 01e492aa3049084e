//! Unlocking a store for a time, and what is known of its key without having it.

use std::time::Duration;

use jiff::Timestamp;

use super::{KeySource, PromptPolicy, session};
use crate::{
    credential::Secret,
    store::{Action, Outcome, Store, StoreError},
};

/// The state of a store's key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The key source; `None` for one that this version does not know.
    pub source: Option<KeySource>,
    /// The place where the source keeps the key, in words for people.
    pub place: String,
    /// The time when the data key was made.
    pub created_at: Timestamp,
    /// Whether a passphrase must be given first. `None` if only the source knows, which was not asked: a key ring that may be
    /// locked, or a command that may ask.
    pub locked: Option<bool>,
    /// The time until which the key is kept unlocked.
    pub unlocked_until: Option<Timestamp>,
}

impl Store {
    /// Returns the state of the key, `None` if there is no key yet.
    ///
    /// # Errors
    /// As [`Store::open`], and [`StoreError::Corrupt`] if something is sealed and the record of the key is gone.
    pub fn key_state(&self) -> Result<Option<KeyState>, StoreError> {
        let Some(row) = self.key_row()? else {
            self.refuse_sealed_without_key()?;
            return Ok(None);
        };
        let location = row.location();
        let unlocked_until = session::find(&row.key_id).map(|(_, until)| until);
        let needs_passphrase =
            location.as_ref().map_or(Some(false), |location| location.source().needs_passphrase());
        Ok(Some(KeyState {
            source: location.as_ref().map(|location| location.source()),
            place: location.map_or(row.source, |location| location.place(&self.context(PromptPolicy::No))),
            created_at: row.created_at,
            locked: needs_passphrase.map(|needs| needs && unlocked_until.is_none()),
            unlocked_until,
        }))
    }

    /// Gets the data key with this passphrase, for as long as this value lives. Other key sources ignore it.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], and the errors of [`Store::prepare`].
    pub fn unlock(&self, passphrase: &Secret) -> Result<(), StoreError> {
        match self.fetch_key(PromptPolicy::Given(passphrase.clone())) {
            Ok(_) => Ok(()),
            Err(error) => {
                let _ = self.audit_store(Action::Unlock, Outcome::Failed(error.code()));
                Err(error)
            }
        }
    }

    /// Keeps the data key unlocked for this long, for all stores of this user that have it. Returns the end.
    ///
    /// It is kept in memory only.
    ///
    /// # Errors
    /// [`StoreError::NoKernelKeyring`] if there is no place to keep it, and the errors of [`Store::prepare`].
    pub fn keep_unlocked(&self, time: Duration) -> Result<Timestamp, StoreError> {
        let until = session::keep(&*self.key(PromptPolicy::Allowed)?, time)
            .ok_or_else(|| StoreError::NoKernelKeyring { path: self.place() })?;
        self.audit_store(Action::Unlock, Outcome::Ok)?;
        Ok(until)
    }

    /// Returns the key source that the settings name, if it differs from the recorded one, which is in use.
    ///
    /// # Errors
    /// [`StoreError::Settings`], and the errors of [`Store::open`].
    pub fn differs_from_settings(&self) -> Result<Option<KeySource>, StoreError> {
        let config = self.place.key_config()?;
        let Some(wanted) = config.source else { return Ok(None) };
        let Some(row) = self.key_row()? else { return Ok(None) };
        let is_same = row
            .location()
            .is_some_and(|location| location.source() == wanted && location.settings().agrees_with(&config));
        Ok(Some(wanted).filter(|_| !is_same))
    }
}
