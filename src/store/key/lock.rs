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
        let opened = match Self::open_existing(place.clone()) {
            Ok(None) => return Ok(None),
            Ok(Some(store)) => store.run(|| Ok(Row::read(&store.connection)?)).map(|row| (row, store)),
            Err(error) => Err(error),
        };
        match opened {
            Ok((row, store)) => {
                let (forgotten, locked) = forget(row.as_ref());
                let recorded = if forgotten { store.audit_store(Action::Lock, Outcome::Ok) } else { Ok(()) };
                Ok(Some(Locked { forgotten, locked, not_recorded: recorded.err() }))
            }
            Err(error) => {
                let Some(row) = row_without_opening(&place) else { return Err(error) };
                let (forgotten, locked) = forget(row.as_ref());
                Ok(Some(Locked { forgotten, locked, not_recorded: forgotten.then_some(error) }))
            }
        }
    }
}

/// Returns whether a key was kept, and whether a passphrase is needed to get it again.
fn forget(row: Option<&Row>) -> (bool, bool) {
    let Some(row) = row else { return (false, false) };
    let is_locked = row.location().is_some_and(|location| location.source() == KeySource::Passphrase);
    (session::forget(&row.key_id), is_locked)
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
