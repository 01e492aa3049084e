//! Locking: what is kept of a key is forgotten, whatever else fails.

use rusqlite::{Connection, OpenFlags};

use super::{KeyLocation, Row, session};
use crate::store::{
    Action, FILE_NAME, Outcome, Place, Store, StoreError,
    db::{permissions, shared_fd::SharedFd},
};

/// What became of a wish to lock.
#[derive(Debug)]
pub struct Locked {
    /// A key was kept, and is forgotten now.
    pub forgotten: bool,
    /// Whether a passphrase has to be given before the store is used again.
    pub locked: bool,
    /// Why it is not in the audit log that a key was forgotten.
    pub not_recorded: Option<StoreError>,
}

impl Store {
    /// Forgets the data key of the store in a data directory, if one is kept. Then it is recorded: that fails where
    /// nothing can be written, and the key is forgotten all the same. `None` where there is no store.
    ///
    /// # Errors
    /// As [`Store::open`], for a store of which the key cannot even be told from others.
    pub fn lock(place: impl Into<Place>) -> Result<Option<Locked>, StoreError> {
        let place = place.into();
        let opened = match Self::open_existing(place.clone()) {
            Ok(None) => return Ok(None),
            Ok(Some(store)) => {
                Row::read(&store.connection).map_err(|e| store.failed(e)).map(|row| (row, store))
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok((row, store)) => {
                let (forgotten, locked) = forget(row.as_ref());
                let recorded = if forgotten { store.audit_store(Action::Lock, Outcome::Ok) } else { Ok(()) };
                Ok(Some(Locked { forgotten, locked, not_recorded: recorded.err() }))
            }
            Err(error) => {
                let Some(row) = row_of_one_that_cannot_be_opened(&place) else { return Err(error) };
                let (forgotten, locked) = forget(row.as_ref());
                Ok(Some(Locked { forgotten, locked, not_recorded: forgotten.then_some(error) }))
            }
        }
    }
}

/// Whether a key was kept, and whether it takes a passphrase to get it again.
fn forget(row: Option<&Row>) -> (bool, bool) {
    let Some(row) = row else { return (false, false) };
    let recorded = KeyLocation::from_columns(&row.source, &row.parameters);
    (session::forget(&row.key_id), matches!(recorded, Some(KeyLocation::Passphrase(_))))
}

/// On a full disk SQLite cannot make the shared index of its log, and opens nothing. A connection that has the file for
/// itself alone needs none, and writes nothing.
fn row_of_one_that_cannot_be_opened(place: &Place) -> Option<Option<Row>> {
    let path = permissions::directory(place.data_dir()).ok()??.join(FILE_NAME);
    let _held = SharedFd::open(&path).ok()?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(&path, flags).ok()?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").ok()?;
    Row::read(&connection).ok()
}
