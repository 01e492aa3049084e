//! Migrating a database to the present schema, which is the sum of the files in `migrations`. Their statements never
//! change: a database whose schema differs from them is refused.
//!
//! `PRAGMA user_version` counts those that a database has had.

use std::{collections::BTreeSet, path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};
use sha2::{Digest as _, Sha256};

use super::{connect::BUSY_TIMEOUT, identify};
use crate::{
    fs::lock::FileLock,
    redact::quote,
    store::{StoreError, error::Fault},
};

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

/// The SHA-256 of the present schema. A test says what it must be.
const SCHEMA: &str = "fc9dc8aeeed2d676855592342fb8ad8ba4b96566df7b17c5f99b8e8830b21a73";

/// Returns the schema version. Refuses a schema that differs from the migrations up to that version in anything: a
/// trigger, a view or another default would have statements of ours do something else.
pub(in crate::store) fn verify(connection: &Connection, path: &Path) -> Result<i32, Fault> {
    // Another process may be migrating the database.
    let reading = connection.unchecked_transaction()?;
    let found = reading.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    identify::verify_schema(found, path)?;
    let schema = schema(&reading)?;
    if found == SCHEMA_VERSION && digest(&schema) == SCHEMA {
        return Ok(found);
    }
    let ours = at_version(found).map_err(|error| failed(error, path))?;
    if let Some([kind, name, ..]) = schema.symmetric_difference(&self::schema(&ours)?).next() {
        let what = format!("its {kind} {} is not as this program makes it", quote(name));
        return Err(StoreError::Corrupt { path: path.to_owned(), what }.into());
    }
    Ok(found)
}

/// Returns an empty database with the schema of a version.
fn at_version(version: i32) -> rusqlite_migration::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    Migrations::from_slice(MIGRATIONS).to_version(&mut connection, version.unsigned_abs() as usize)?;
    Ok(connection)
}

/// Returns everything that a schema has: type, name, table and statement.
fn schema(connection: &Connection) -> rusqlite::Result<BTreeSet<[String; 4]>> {
    let sql = "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema";
    let object = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    connection.prepare(sql)?.query_map([], object)?.collect()
}

fn digest(schema: &BTreeSet<[String; 4]>) -> String {
    let mut hash = Sha256::new();
    schema.iter().flatten().for_each(|text| hash.update([text.as_bytes(), &[0]].concat()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

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
    result.map_err(|error| failed(error, path))
}

fn failed(error: rusqlite_migration::Error, path: &Path) -> StoreError {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from_sqlite(path.to_owned(), err),
        other => StoreError::Corrupt { path: path.to_owned(), what: other.to_string() },
    }
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

    #[test]
    fn digest_of_the_schema_is_that_of_the_migrations() {
        let present = at_version(SCHEMA_VERSION).expect("migrated");
        assert_eq!(digest(&schema(&present).expect("read")), SCHEMA);
    }

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
