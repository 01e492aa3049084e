//! Opening a database that is there.

use std::{
    cell::Cell,
    path::Path,
    sync::{Mutex, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    create::beside,
    header,
    migrate::{self, SCHEMA_VERSION},
    permissions,
    shared_fd::SharedFd,
};
use crate::store::{
    Place, Store, StoreError,
    key::{DataKey, PromptPolicy},
};

/// How long a locked database is waited for.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What stands for the path of a database in memory.
pub(in crate::store) const IN_MEMORY: &str = ":memory:";

/// Removed and replaced content is overwritten, commits are on the disk when they return, and pages are not
/// trusted further than they can be checked.
const SETTINGS: &str = "
PRAGMA secure_delete = ON;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA cell_size_check = ON;
";

/// Opens the database at the real path `path` if everything about it is in order.
pub(in crate::store) fn connect(path: &Path, place: Place) -> Result<Store, StoreError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        permissions::file(&beside(path, suffix))?;
    }
    let held = SharedFd::open(path)?;
    let failed = |source| StoreError::from_sqlite(path.to_owned(), source);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // Who only reads does not tidy up: that costs more than the reading. Who writes does, see `write`.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let mut store = Store {
        connection,
        held: Some(held),
        place,
        key: Mutex::default(),
        compared: AtomicBool::default(),
        action: None,
        found: SCHEMA_VERSION,
    };
    store.configure().map_err(failed)?;
    let found = store.schema_version().map_err(failed)?;
    header::verify_schema(found, path)?;
    if found < migrate::SCHEMA_VERSION {
        store.found = found;
        migrate::to_latest(&mut store.connection, path)?;
        // So that the new version shows in the header.
        store.erase()?;
    }
    // Should it not work without asking, then it is done when a credential is read or written.
    let _ = store.seal_what_is_plain(PromptPolicy::No);
    Ok(store)
}

pub(in crate::store) fn in_memory() -> Result<Store, StoreError> {
    let failed = |source| StoreError::from_sqlite(IN_MEMORY.into(), source);
    let connection = Connection::open_in_memory().map_err(failed)?;
    let place = Place::from(Path::new(IN_MEMORY));
    let mut store = Store {
        connection,
        held: None,
        place,
        key: Mutex::default(),
        compared: AtomicBool::default(),
        action: None,
        found: SCHEMA_VERSION,
    };
    store.configure().map_err(failed)?;
    migrate::to_latest(&mut store.connection, Path::new(IN_MEMORY))?;
    store.key_in_memory(DataKey::random()?)?;
    Ok(store)
}

impl Store {
    fn configure(&self) -> rusqlite::Result<()> {
        self.wait_for_writers()?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.connection.execute_batch(SETTINGS)
    }

    /// Waits for others who write for as long as [`BUSY_TIMEOUT`], and in the same way however long that already
    /// is. SQLite's own way is to look ever more rarely, so that of many who write one may never get its turn.
    pub(in crate::store) fn wait_for_writers(&self) -> rusqlite::Result<()> {
        thread_local!(static SINCE: Cell<Instant> = Cell::new(Instant::now()));
        self.connection.busy_handler(Some(|attempt| {
            if attempt == 0 {
                SINCE.set(Instant::now());
            }
            let waited = SINCE.get().elapsed();
            // Not all at once.
            thread::sleep(Duration::from_micros(4_000 + u64::from(waited.subsec_nanos()) % 6_000));
            waited < BUSY_TIMEOUT
        }))
    }

    /// The schema version as of now, the write-ahead log included.
    pub(in crate::store) fn schema_version(&self) -> rusqlite::Result<i32> {
        self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))
    }
}
