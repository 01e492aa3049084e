//! The row that records the key source, and the list of keys outside of the database that are of no use.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::{Context, ID, KeyLocation};
use crate::store::StoreError;

/// What the database knows of its data key.
#[derive(Debug)]
pub(in crate::store) struct Row {
    pub key_id: [u8; ID],
    /// The name of the source, whether it is known or not.
    pub source: String,
    /// What the source needs, in JSON.
    pub parameters: String,
    pub wrapped: Vec<u8>,
    /// When the key was made.
    pub created_at: Timestamp,
    /// Whether what was plain before is gone from the files.
    pub erased: bool,
}

/// The id of the data key, `None` where there is none yet.
pub(in crate::store) fn id(connection: &Connection) -> rusqlite::Result<Option<[u8; ID]>> {
    let mut statement = connection.prepare_cached("SELECT key_id FROM store_key")?;
    statement.query_row([], |row| row.get(0)).optional()
}

impl Row {
    pub(in crate::store) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT key_id, source, parameters, wrapped, created_at, erased FROM store_key";
        connection
            .prepare_cached(sql)?
            .query_row([], |row| {
                Ok(Self {
                    key_id: row.get(0)?,
                    source: row.get(1)?,
                    parameters: row.get(2)?,
                    wrapped: row.get(3)?,
                    created_at: crate::store::record::row::time(row.get(4)?)?,
                    erased: row.get(5)?,
                })
            })
            .optional()
    }

    pub(in crate::store) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            "INSERT OR REPLACE INTO store_key VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                &self.key_id,
                &self.source,
                &self.parameters,
                &self.wrapped,
                self.created_at.as_millisecond(),
                self.erased,
            ),
        )?;
        Ok(())
    }
}

/// Notes keys that lie outside of the database and are of no use: before one is made there, and when the last
/// change has made one useless. So that none is forgotten, whenever we are killed.
pub(in crate::store) mod unused {
    use super::*;

    pub(in crate::store) fn add(connection: &Connection, recorded: &KeyLocation) -> rusqlite::Result<()> {
        let (source, parameters) = recorded.to_columns();
        connection.execute("INSERT INTO unused_key VALUES (?, ?)", (source, parameters)).map(drop)
    }

    /// Those that are known to this version.
    pub(in crate::store) fn read(connection: &Connection) -> rusqlite::Result<Vec<KeyLocation>> {
        let mut statement = connection.prepare("SELECT source, parameters FROM unused_key")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        Ok(rows.iter().filter_map(|(source, text)| KeyLocation::from_columns(source, text)).collect())
    }

    pub(in crate::store) fn remove(connection: &Connection, recorded: &KeyLocation) -> rusqlite::Result<()> {
        let (source, parameters) = recorded.to_columns();
        let sql = "DELETE FROM unused_key WHERE source = ? AND parameters = ?";
        connection.execute(sql, (source, parameters)).map(drop)
    }
}

/// Removes the keys that are of no use, but never the one that is in use. One that cannot be removed now is left for the
/// next time, and one that another store may have stays listed as long as it is there: see [`key_file::plan`]. Only for
/// whoever has the turn to change keys: somebody else's may be one that is just being made.
///
/// [`key_file::plan`]: super::key_file::plan
pub(in crate::store) fn sweep(connection: &Connection, context: &Context) -> Result<(), StoreError> {
    let failed = |source| StoreError::from_sqlite(context.database.clone(), source);
    let row = Row::read(connection).map_err(failed)?;
    let in_use = row.and_then(|row| KeyLocation::from_columns(&row.source, &row.parameters));
    for recorded in unused::read(connection).map_err(failed)? {
        let is_used = in_use.as_ref().is_some_and(|in_use| in_use.is_same(&recorded, context));
        if !is_used && recorded.uninstall(context).is_ok_and(|gone| gone) {
            unused::remove(connection, &recorded).map_err(failed)?;
        }
    }
    Ok(())
}
