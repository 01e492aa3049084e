//! Recognising our database before SQLite opens it for writing.
//!
//! Opening a database in WAL mode creates files beside it, and may change it. So a file of another program or of a
//! newer version must be recognised first. It is opened with `immutable`, which takes no lock, reads no log and
//! creates no file: the header alone says whose it is, and that never changes. Nothing else may be read this way.

use std::path::Path;

use rusqlite::{ErrorCode, config::DbConfig};

use super::{permissions, read_only};
use crate::store::{SCHEMA_VERSION, StoreError};

/// The `application_id` in the header of our databases: `AUTH` in ASCII.
pub const APPLICATION_ID: u32 = u32::from_be_bytes(*b"AUTH");

/// Refuses a file that is not a database of ours, or of a newer version.
///
/// A newer schema that is still in the write-ahead log is not seen here; `connect` asks again.
pub(in crate::store) fn identify(path: &Path) -> Result<(), StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { path: path.to_owned(), what: what.to_owned() };
    if permissions::file(path)?.is_none_or(|found| found.len() == 0) {
        return Err(corrupt("it is empty"));
    }
    let (application_id, schema) = read_header(path).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => corrupt("it is not an SQLite database"),
        _ => StoreError::from_sqlite(path.to_owned(), error),
    })?;
    if application_id != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned(), application_id });
    }
    verify_schema(schema, path)
}

fn read_header(path: &Path) -> rusqlite::Result<(u32, i32)> {
    let connection = read_only::connection(path, "immutable=1")?;
    // While a checkpoint writes to the file, it may be shorter than its header says. This has SQLite accept that.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    let read = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
    Ok((read("application_id")?.cast_unsigned(), read("user_version")?))
}

/// Refuses a schema version that this program neither knows nor can migrate.
pub(in crate::store) fn verify_schema(found: i32, path: &Path) -> Result<(), StoreError> {
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    if found < 1 {
        let what = format!("its schema version is {found}");
        return Err(StoreError::Corrupt { path: path.to_owned(), what });
    }
    Ok(())
}
