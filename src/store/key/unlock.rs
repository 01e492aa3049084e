//! Unlocking a store for a time and locking it, and what is known of its key without having it.

use std::time::Duration;

use jiff::Timestamp;

use super::{KeyLocation, KeySource, PromptPolicy, Row, session};
use crate::{
    credential::Secret,
    store::{
        Action, FILE_NAME, Outcome, Place, Store, StoreError,
        db::{connect, identify, permissions},
    },
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

/// The result of locking a store.
#[derive(Debug)]
pub struct Locked {
    /// Whether a key was kept, and was forgotten.
    pub forgotten: bool,
    /// Whether a passphrase must be given before the store is used again.
    pub locked: bool,
    /// The reason why the audit log does not say that a key was forgotten.
    pub not_recorded: Option<StoreError>,
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
            source: location.as_ref().map(KeyLocation::source),
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
        let unlocked = self.fetch_key(PromptPolicy::Given(passphrase.clone()));
        self.audited(Action::Unlock, unlocked.map(drop))
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
        let is_same = row.location().is_some_and(|location| {
            let files = location.chosen_file().zip(config.key_file.as_deref());
            location.source() == wanted && files.is_none_or(|(chosen, wanted)| chosen == wanted)
        });
        Ok(Some(wanted).filter(|_| !is_same))
    }

    /// Forgets the data key of the store in a data directory, if it is kept. Returns `None` if there is no store.
    ///
    /// Recording it fails if nothing can be written. The key is forgotten all the same.
    ///
    /// # Errors
    /// As [`Store::open`], if not even the key's id can be read.
    pub fn lock(place: impl Into<Place>) -> Result<Option<Locked>, StoreError> {
        let place = place.into();
        let opened = Self::open_existing(place.clone())
            .and_then(|store| store.map(|store| Ok((store.key_row()?, store))).transpose());
        let (row, store) = match opened {
            Ok(None) => return Ok(None),
            Ok(Some((row, store))) => (row, Ok(store)),
            Err(error) => match row_without_opening(&place) {
                Some(row) => (row, Err(error)),
                None => return Err(error),
            },
        };
        let forgotten = row.as_ref().is_some_and(|row| session::forget(&row.key_id));
        let source = row.and_then(|row| row.location()).map(|location| location.source());
        let recorded = match forgotten {
            true => store.and_then(|store| store.audit_store(Action::Lock, Outcome::Ok)),
            false => Ok(()),
        };
        let locked = source == Some(KeySource::Passphrase);
        Ok(Some(Locked { forgotten, locked, not_recorded: recorded.err() }))
    }
}

/// Reads the record of the key on a full disk, where SQLite cannot make the shared index of its log and opens nothing.
/// A connection that has the file for itself needs no index, and writes nothing.
fn row_without_opening(place: &Place) -> Option<Option<Row>> {
    let path = permissions::directory(place.data_dir()).ok()??.join(FILE_NAME);
    identify::identify(&path).ok()?;
    let connection = connect::connection(&path).ok()?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").ok()?;
    Row::read(&connection).ok()
}
