//! Sealing all credentials with a new data key.

use rusqlite::{Connection, Row};
use zeroize::Zeroizing;

use super::seal::AssociatedData;
use crate::store::{
    error::Fault,
    key::DataKey,
    record::row::{BY_RAW_KEY, VERSION, WITH_SECRET, raw_key},
};

/// Seals every credential in the form that `encoded` returns for its row. Returns whether there were any.
///
/// Rows are found by the bytes in their key columns, so that a row without a valid name is sealed too.
pub(super) fn seal_all(
    change: &Connection,
    key: &DataKey,
    encoded: impl Fn(&Row<'_>) -> Result<Zeroizing<Vec<u8>>, Fault>,
) -> Result<bool, Fault> {
    let mut sealed = Vec::new();
    let mut read = change.prepare(WITH_SECRET)?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let names = raw_key(row)?;
        let data = AssociatedData::row(names.each_ref().map(Vec::as_slice), row.get(VERSION)?);
        sealed.push((names, key.key.seal(&data, &encoded(row)?)?));
    }
    let mut write = change.prepare(&format!("UPDATE credential SET secret = ? WHERE {BY_RAW_KEY}"))?;
    for ([provider, set, profile], secret) in &sealed {
        write.execute((secret, provider, set, profile))?;
    }
    Ok(!sealed.is_empty())
}
