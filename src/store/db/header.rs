//! The first bytes of a database file, read before SQLite sees the file: SQLite creates files beside it and
//! may change it, so what we do not understand must not get that far.
//!
//! Fields and offsets: <https://www.sqlite.org/fileformat.html#the_database_header>.

use std::path::Path;

use crate::store::{SCHEMA_VERSION, StoreError};

/// The `application_id` in the header of our databases: `AUTH` in ASCII.
pub const APPLICATION_ID: u32 = u32::from_be_bytes(*b"AUTH");

/// The length of the header in bytes.
pub(in crate::store) const LENGTH: usize = 100;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file that starts with these bytes is ours to open.
///
/// A newer schema that is still in the write-ahead log does not show here; `connect` asks SQLite again.
pub(in crate::store) fn verify(bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { path: path.to_owned(), what: what.to_owned() };
    if bytes.is_empty() {
        return Err(corrupt("it is empty"));
    }
    if !bytes.starts_with(MAGIC) {
        return Err(corrupt("it is not an SQLite database"));
    }
    let field = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let (Some(user_version), Some(application_id), true) = (field(60), field(68), bytes.len() >= LENGTH)
    else {
        return Err(corrupt("it ends within its header"));
    };
    if application_id != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned(), application_id });
    }
    verify_schema(user_version.cast_signed(), path)
}

/// Whether a schema version is one that we know, or can bring up to date.
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
