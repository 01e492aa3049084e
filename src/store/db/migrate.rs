//! Migrating a database to the present schema, which is the sum of the files in `migrations`.
//!
//! `PRAGMA user_version` counts those that a database has had.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::connect::BUSY_TIMEOUT;
use crate::{fs::lock::FileLock, store::StoreError};

/// The schema version that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/1-credential.sql")),
    M::up(include_str!("migrations/2-exchange.sql")),
    M::up(include_str!("migrations/3-store_key.sql")),
    M::up(include_str!("migrations/4-audit.sql")),
    M::up(include_str!("migrations/5-details.sql")),
    M::up(include_str!("migrations/6-postponed.sql")),
    M::up(include_str!("migrations/7-tidy.sql")),
];

/// Migrates a database of any known schema version to the present one.
pub(in crate::store) fn to_latest(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    apply(&Migrations::from_slice(MIGRATIONS), connection, path)
}

/// Migrates while no other process does. `rusqlite_migration` reads the version before its transaction begins, so two
/// at once would both migrate from the same version.
fn apply(migrations: &Migrations<'_>, connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let _lock = lock_directory(path)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let result = migrations.to_latest(connection);
    connection.set_transaction_behavior(TransactionBehavior::Deferred);
    result.map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from_sqlite(path.to_owned(), err),
        other => StoreError::Corrupt { path: path.to_owned(), what: other.to_string() },
    })
}

/// Takes an exclusive advisory lock on the directory of the database. It ends with the returned value.
pub(in crate::store) fn lock_directory(path: &Path) -> Result<Option<FileLock>, StoreError> {
    lock_directory_within(BUSY_TIMEOUT, path)
}

fn lock_directory_within(patience: Duration, path: &Path) -> Result<Option<FileLock>, StoreError> {
    let Some(directory) = path.parent().filter(|_| path.is_absolute()) else { return Ok(None) };
    let lock = FileLock::lock_directory(directory, patience).map_err(StoreError::io("lock", directory))?;
    lock.map(Some).ok_or_else(|| StoreError::Busy { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const ONCE: M<'static> = M::up("CREATE TABLE next (a TEXT) STRICT; INSERT INTO next VALUES ('once');");

    #[test]
    fn directory_lock_held_by_another_is_busy_until_it_is_dropped() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = &directory.path().join("a.db");
        let lock = lock_directory(path).expect("taken");
        let error = lock_directory_within(Duration::ZERO, path).expect_err("locked twice");
        assert_eq!(error.kind(), crate::ErrorKind::Busy);
        drop(lock);
        lock_directory_within(Duration::ZERO, path).expect("taken again");
    }

    #[test]
    fn concurrent_migrations_run_once() {
        let next: Vec<M<'static>> = MIGRATIONS.iter().cloned().chain([ONCE]).collect();
        let next = &Migrations::from_slice(&next);
        // Several times, because the critical moment is short.
        for _ in 0..10 {
            let directory = tempfile::TempDir::new().expect("a directory");
            let path = &directory.path().join("a.db");
            to_latest(&mut Connection::open(path).expect("opened"), path).expect("migrated");
            let start = &Barrier::new(16);
            thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(move || {
                        let mut connection = Connection::open(path).expect("opened");
                        start.wait();
                        apply(next, &mut connection, path).expect("migrated");
                    });
                }
            });
            let connection = Connection::open(path).expect("opened");
            let rows = connection.query_row("SELECT count(*) FROM next", [], |row| row.get::<_, i64>(0));
            assert_eq!(rows, Ok(1));
        }
    }
}
