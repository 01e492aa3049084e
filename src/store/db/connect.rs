//! Opening an existing database.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::{Mutex, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    create::beside,
    identify, journal,
    migrate::{self, SCHEMA_VERSION},
    permissions, read_only,
};
use crate::store::{
    Place, Store, StoreError,
    key::{DataKey, PromptPolicy, passphrase_provider},
};

/// The time for which a locked database is waited for.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The name of a database in memory, in messages.
pub(in crate::store) const IN_MEMORY: &str = ":memory:";

/// Overwrites removed and replaced content, syncs every commit, and checks what pages claim.
const SETTINGS: &str = "
PRAGMA secure_delete = ON;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA cell_size_check = ON;
";

/// Opens a connection to the database file, without looking at it.
pub(in crate::store) fn connection(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(path, flags)
}

/// Opens the database at the real path `path`, if everything about it is in order. One that can only be read is copied
/// into memory.
pub(in crate::store) fn connect(path: &Path, place: Place) -> Result<Store, StoreError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        permissions::file(&beside(path, suffix))?;
    }
    identify::identify(path)?;
    let mut opened = connection(path).and_then(|found| open(found, path, place.clone()));
    if opened.as_ref().is_err_and(journal::is_without_shared_memory) && journal::leave_wal(path).is_ok() {
        passphrase_provider().without_shared_memory(path);
        opened = connection(path).and_then(|found| open(found, path, place.clone()));
    }
    let failed = |source| StoreError::from_sqlite(path.to_owned(), source);
    match opened.map_err(failed).and_then(|store| store.up_to_date(path)) {
        Err(StoreError::Database { why, is_transient: true, .. }) => {
            let copy = read_only::copy(path).and_then(|copy| open(copy, path, place)).map_err(failed)?;
            Store { read_only: Some(why), ..copy }.up_to_date(path)
        }
        opened => opened,
    }
}

/// Opens the store over a connection, and reads from it, which shows whether it can be used.
fn open(connection: Connection, path: &Path, place: Place) -> rusqlite::Result<Store> {
    let store = store(connection, Some(path.to_owned()), place);
    // A checkpoint costs more than reading. Only a store that has written makes one when it closes.
    store.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    store.configure()?;
    store.connection.query_row("PRAGMA user_version", [], |_| Ok(()))?;
    Ok(store)
}

pub(in crate::store) fn in_memory() -> Result<Store, StoreError> {
    let path = Path::new(IN_MEMORY);
    let failed = |source| StoreError::from_sqlite(path.to_owned(), source);
    let mut store = store(Connection::open_in_memory().map_err(failed)?, None, Place::from(path));
    store.configure().map_err(failed)?;
    migrate::to_latest(&mut store.connection, path)?;
    // No source keeps the key.
    let key = store.keep(DataKey::random()?);
    let sql = "INSERT INTO store_key VALUES (1, ?, '', '', x'', 0, TRUE)";
    store.with_path(store.connection.execute(sql, [&key.id]))?;
    Ok(store)
}

fn store(connection: Connection, path: Option<PathBuf>, place: Place) -> Store {
    Store {
        connection,
        path,
        place,
        key: Mutex::default(),
        compared: AtomicBool::default(),
        action: None,
        found: SCHEMA_VERSION,
        read_only: None,
    }
}

impl Store {
    /// Migrates and seals a database of an earlier version.
    fn up_to_date(mut self, path: &Path) -> Result<Self, StoreError> {
        self.found = self.run(|| migrate::verify(&self.connection, path))?;
        if self.found < migrate::SCHEMA_VERSION {
            migrate::to_latest(&mut self.connection, path)?;
            // So that the header shows the new version.
            self.erase()?;
        }
        match self.read_only {
            Some(_) => self.with_path(self.connection.execute_batch("PRAGMA query_only = ON"))?,
            // If this needs the passphrase, it is done when a credential is read or written.
            None => self.seal_plain(PromptPolicy::No).unwrap_or_default(),
        }
        Ok(self)
    }

    fn configure(&self) -> rusqlite::Result<()> {
        self.wait_for_writers()?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.connection.execute_batch(SETTINGS)
    }

    /// Has the connection wait for writers for up to [`BUSY_TIMEOUT`].
    ///
    /// The pauses do not grow. SQLite's own do, so that one of many writers may never get its turn.
    pub(in crate::store) fn wait_for_writers(&self) -> rusqlite::Result<()> {
        thread_local!(static SINCE: Cell<Instant> = Cell::new(Instant::now()));
        self.connection.busy_handler(Some(|attempt| {
            if attempt == 0 {
                SINCE.set(Instant::now());
            }
            let waited = SINCE.get().elapsed();
            // Pauses of different lengths, so that not all try at once.
            thread::sleep(Duration::from_micros(4_000 + u64::from(waited.subsec_nanos()) % 6_000));
            waited < BUSY_TIMEOUT
        }))
    }
}
