//! The schema and its history. `PRAGMA user_version` counts the migrations that a database has seen.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::connect::BUSY_TIMEOUT;
use crate::{fs::lock::FileLock, store::StoreError};

/// The schema version that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

/// Times are Unix milliseconds, `scopes` is a JSON array, `secret` is opaque (see `seal`) and last, so that
/// what only lists need not read it. Names sort as they are listed: by provider first.
///
/// `clock` counts the changes to the whole store. A credential's version is taken from it, so a version never
/// comes back, not even for a credential that was removed and stored again.
const FIRST: &str = "
PRAGMA application_id = 0x41555448;
CREATE TABLE credential (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    kind           TEXT NOT NULL,
    account        TEXT,
    host           TEXT,
    scopes         TEXT NOT NULL,
    expires_at     INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    secret         BLOB NOT NULL,
    PRIMARY KEY (provider, credential_set, profile)
) STRICT, WITHOUT ROWID;
CREATE TABLE clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO clock VALUES (1, 0);
";

/// How the exchange of a credential's refresh token stands, for the version of the credential that has that token: see
/// `exchange`. Gone with the credential, and void for any other version of it.
const EXCHANGE: &str = "
CREATE TABLE exchange (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('sent', 'refused', 'unknown')),
    holder         TEXT NOT NULL,
    since          INTEGER NOT NULL,
    why            TEXT,
    PRIMARY KEY (provider, credential_set, profile),
    FOREIGN KEY (provider, credential_set, profile) REFERENCES credential ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
";

/// Sealing. `store_key` has the one row that records the data key and its source, `unused_key` the keys outside of
/// the database that are to be removed (see `key`), `ledger` the versions that are current (see `ledger`).
///
/// The rows are sealed later, together with the row of `store_key`: while there is none, secrets are plain.
const SEALING: &str = "
CREATE TABLE store_key (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    key_id     BLOB NOT NULL,
    source     TEXT NOT NULL,
    parameters TEXT NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    erased     INTEGER NOT NULL
) STRICT;
CREATE TABLE unused_key (
    source     TEXT NOT NULL,
    parameters TEXT NOT NULL
) STRICT;
CREATE TABLE ledger (
    part   INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
";

/// What is known beside the columns, see `details`.
const DETAILS: &str = "ALTER TABLE credential ADD COLUMN details TEXT NOT NULL DEFAULT '{}'";

/// The audit log: entries are only added, one after the other. Only those before the newest ten thousand are removed
/// (`AUDIT_ENTRIES`), by the database itself.
const AUDIT: &str = "
CREATE TABLE audit (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    uid            INTEGER NOT NULL,
    pid            INTEGER NOT NULL,
    program        TEXT NOT NULL,
    caller         TEXT,
    action         TEXT NOT NULL,
    provider       TEXT,
    credential_set TEXT,
    profile        TEXT,
    outcome        TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is not changed');
END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is not changed');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
WHEN OLD.id > (SELECT max(id) FROM audit) - 10000 BEGIN
    SELECT RAISE(ABORT, 'the audit log is not shortened');
END;
CREATE TRIGGER audit_is_continued AFTER INSERT ON audit
WHEN NEW.id IS NOT 1 + (SELECT coalesce(max(id), 0) FROM audit WHERE id <> NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is continued at its end');
END;
CREATE TRIGGER audit_is_bounded AFTER INSERT ON audit BEGIN
    DELETE FROM audit WHERE id <= NEW.id - 10000;
END;
";

/// Renewals that did not come about, for the version of the credential as in `exchange`: see `postponed`. Times are Unix
/// microseconds.
const POSTPONED: &str = "
CREATE TABLE postponed (
    provider       TEXT NOT NULL,
    credential_set TEXT NOT NULL,
    profile        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    until          INTEGER NOT NULL,
    why            TEXT NOT NULL,
    PRIMARY KEY (provider, credential_set, profile),
    FOREIGN KEY (provider, credential_set, profile) REFERENCES credential ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
";

const MIGRATIONS: &[M<'static>] =
    &[M::up(FIRST), M::up(EXCHANGE), M::up(SEALING), M::up(AUDIT), M::up(DETAILS), M::up(POSTPONED)];

/// Brings a database of any known version to the present one.
pub(in crate::store) fn to_latest(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    apply(&Migrations::from_slice(MIGRATIONS), connection, path)
}

/// One process at a time: `rusqlite_migration` reads the version before its transaction begins, so two at
/// once would both migrate from the same version.
fn apply(migrations: &Migrations<'_>, connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let _turn = lock_directory(path)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let result = migrations.to_latest(connection);
    connection.set_transaction_behavior(TransactionBehavior::Deferred);
    result.map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from_sqlite(path.to_owned(), err),
        other => StoreError::Corrupt { path: path.to_owned(), what: other.to_string() },
    })
}

/// An exclusive lock on the directory of the database, for as long as the value lives.
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
    fn whoever_keeps_the_turn_for_long_makes_the_others_busy() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = &directory.path().join("a.db");
        let turn = lock_directory(path).expect("taken");
        let error = lock_directory_within(Duration::ZERO, path).expect_err("taken twice");
        assert_eq!(error.kind(), crate::ErrorKind::Busy);
        drop(turn);
        lock_directory_within(Duration::ZERO, path).expect("taken again");
    }

    #[test]
    fn many_that_migrate_at_once_migrate_once() {
        let next: Vec<M<'static>> = MIGRATIONS.iter().cloned().chain([ONCE]).collect();
        let next = &Migrations::from_slice(&next);
        // Several times, for the moment in which it could go wrong is short.
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
