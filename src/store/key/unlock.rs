//! Unlocking for a time, locking again, and what can be said of the key without having it.

use std::time::Duration;

use jiff::Timestamp;

use super::{KeyLocation, KeySource, PromptPolicy, Row, session};
use crate::{
    credential::Secret,
    store::{Action, Outcome, Store, StoreError},
};

/// What is known of a store's key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The source; `None` for one that this version does not know.
    pub source: Option<KeySource>,
    /// Where it has the key, in words for people.
    pub place: String,
    /// When the data key was made.
    pub created_at: Timestamp,
    /// Whether a passphrase has to be given first. `None`: only its source knows, a key ring that may be locked or a command
    /// that may ask, and they were not asked.
    pub locked: Option<bool>,
    /// Until when it is kept unlocked for this login session.
    pub unlocked_until: Option<Timestamp>,
}

impl Store {
    /// What is known of the key; `None` while there is none.
    ///
    /// # Errors
    /// As [`Store::open`]. [`StoreError::Corrupt`] when the record of it is gone, and what it has sealed is there.
    pub fn key_state(&self) -> Result<Option<KeyState>, StoreError> {
        let Some(row) = Row::read(&self.connection).map_err(|e| self.failed(e))? else {
            self.refuse_what_is_sealed()?;
            return Ok(None);
        };
        let recorded = KeyLocation::from_columns(&row.source, &row.parameters);
        let unlocked_until = session::find(&row.key_id).map(|(_, until)| until);
        let locked = match &recorded {
            Some(KeyLocation::Passphrase(_)) => Some(unlocked_until.is_none()),
            Some(KeyLocation::Keyring(_) | KeyLocation::Command(_)) => None,
            Some(KeyLocation::KeyFile(_) | KeyLocation::SystemdCreds(_)) | None => Some(false),
        };
        Ok(Some(KeyState {
            source: recorded.as_ref().map(KeyLocation::source),
            place: recorded.map_or(row.source, |recorded| recorded.place(&self.context(PromptPolicy::No))),
            created_at: row.created_at,
            locked,
            unlocked_until,
        }))
    }

    /// Gets the data key with this passphrase, for as long as this value lives.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], and what [`Store::prepare`] has. With another key source the passphrase is
    /// not looked at.
    pub fn unlock(&self, passphrase: &Secret) -> Result<(), StoreError> {
        match self.fetch_key(PromptPolicy::Given(passphrase.clone())) {
            Ok(_) => Ok(()),
            Err(error) => {
                let _ = self.audit_store(Action::Unlock, Outcome::Failed(error.code()));
                Err(error)
            }
        }
    }

    /// Keeps the data key for this login session: every store of this user that has it needs no passphrase for so
    /// long. It is kept in memory alone. Says until when.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no place to keep it, and what [`Store::prepare`] has.
    pub fn keep_unlocked(&self, time: Duration) -> Result<Timestamp, StoreError> {
        let until = session::keep(&*self.key(PromptPolicy::Allowed)?, time)?;
        self.audit_store(Action::Unlock, Outcome::Ok)?;
        Ok(until)
    }

    /// What the settings say of the key source, if that is not what the database has: in words for people, with the
    /// way out. What is recorded counts.
    ///
    /// # Errors
    /// [`StoreError::Settings`], and what [`Store::open`] has.
    pub fn differs_from_settings(&self) -> Result<Option<String>, StoreError> {
        let wish = self.place.key_config()?;
        let Some(wished) = wish.source else { return Ok(None) };
        let Some(row) = Row::read(&self.connection).map_err(|e| self.failed(e))? else { return Ok(None) };
        let recorded = KeyLocation::from_columns(&row.source, &row.parameters);
        if recorded.as_ref().is_some_and(|recorded| recorded.source() == wished && recorded.is_wished(&wish))
        {
            return Ok(None);
        }
        let place = recorded.map_or(row.source, |recorded| recorded.place(&self.context(PromptPolicy::No)));
        Ok(Some(format!(
            "the settings name the key source {wished}, but the key of {} is still {place}: \
             `authenticate store rekey --source {wished}` changes that",
            self.place().display()
        )))
    }
}
