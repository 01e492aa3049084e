//! Locking a store: forgetting its key, whatever else fails.

use super::{KeySource, Row, session};
use crate::store::{
    Action, FILE_NAME, Outcome, Place, Store, StoreError,
    db::{connect, identify, permissions},
};

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
