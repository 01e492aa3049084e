//! The row that records the key source and the wrapped data key, and the list of unused keys outside of the database.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::{Context, DataKey, ID, KeyLocation, KeySource, NewKey, PromptPolicy, RESTORE, session};
use crate::store::{
    StoreError,
    crypto::seal::{AssociatedData, SealingKey},
    error::Fault,
    record::row::Millis,
};

/// The record of the data key in the database.
#[derive(Debug)]
pub(in crate::store) struct Row {
    pub key_id: [u8; ID],
    /// The name of the source. It may be unknown.
    pub source: String,
    /// The parameters of the source, in JSON.
    pub parameters: String,
    /// The data key, sealed with the key of its source.
    pub wrapped: Vec<u8>,
    /// The time when the key was made.
    pub created_at: Timestamp,
    /// Whether plain bytes were erased from the files.
    pub erased: bool,
}

/// Returns the id of the data key, `None` if there is none yet.
pub(in crate::store) fn id(connection: &Connection) -> rusqlite::Result<Option<[u8; ID]>> {
    let mut statement = connection.prepare_cached("SELECT key_id FROM store_key")?;
    statement.query_row([], |row| row.get(0)).optional()
}

impl Row {
    /// Returns `None` for an unknown source, or parameters that it does not understand.
    pub(in crate::store) fn location(&self) -> Option<KeyLocation> {
        KeyLocation::from_columns(&self.source, &self.parameters)
    }

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
                    created_at: row.get::<_, Millis>(4)?.0,
                    erased: row.get(5)?,
                })
            })
            .optional()
    }

    /// Wraps a data key with the key that a source has made.
    pub(in crate::store) fn wrap(key: &DataKey, new: &NewKey, erased: bool) -> Result<Self, StoreError> {
        let (source, parameters) = new.location.columns();
        let wrapped = new.key.seal(&associated_data(&key.id, source, &parameters), key.key.expose())?;
        Ok(Self {
            key_id: key.id,
            source: source.to_owned(),
            parameters,
            wrapped,
            created_at: crate::clock::now(),
            erased,
        })
    }

    /// Returns the data key: the one that is kept unlocked, or else the one that the source returns.
    pub(in crate::store) fn unwrap(&self, context: &Context) -> Result<DataKey, StoreError> {
        let location = self.location().ok_or_else(|| {
            let is_known = KeySource::ALL.iter().any(|known| known.as_str() == self.source);
            let why = match is_known {
                true => format!("the record of it was altered: {RESTORE}"),
                false => "this version of authenticate does not know it: update authenticate".into(),
            };
            context.refuse(&self.source, why)
        })?;
        // A passphrase that is given must be tried.
        if location.file(context).is_none()
            && !matches!(context.asking, PromptPolicy::Given(_))
            && let Some((key, _)) = session::find(&self.key_id)
        {
            return Ok(key);
        }
        location.unwrap(context, &|wrapping: &SealingKey| {
            let data = associated_data(&self.key_id, &self.source, &self.parameters);
            let plain = wrapping.open(&data, &self.wrapped)?;
            Some(DataKey { id: self.key_id, key: SealingKey::from_bytes(&plain)? })
        })
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

/// Binds the key to its source and the parameters, so that neither can be exchanged.
fn associated_data(id: &[u8; ID], source: &str, parameters: &str) -> AssociatedData {
    AssociatedData::new("data key", &[id, source.as_bytes(), parameters.as_bytes()])
}

/// The list of keys that are outside of the database and unused. A key is listed before it is made there, and again by
/// the change that makes it useless. So none is forgotten, whenever the process is killed.
pub(in crate::store) mod unused {
    use super::*;

    pub(in crate::store) fn add(connection: &Connection, location: &KeyLocation) -> rusqlite::Result<()> {
        connection.execute("INSERT INTO unused_key VALUES (?, ?)", location.columns()).map(drop)
    }

    /// Returns the keys of sources that this version knows.
    pub(in crate::store) fn read(connection: &Connection) -> rusqlite::Result<Vec<KeyLocation>> {
        let mut statement = connection.prepare("SELECT source, parameters FROM unused_key")?;
        let location = |row: &rusqlite::Row<'_>| {
            let (source, parameters): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(KeyLocation::from_columns(&source, &parameters))
        };
        statement.query_map([], location)?.filter_map(Result::transpose).collect()
    }

    pub(in crate::store) fn remove(connection: &Connection, location: &KeyLocation) -> rusqlite::Result<()> {
        let sql = "DELETE FROM unused_key WHERE source = ? AND parameters = ?";
        connection.execute(sql, location.columns()).map(drop)
    }
}

/// Removes unused keys, but never the one in use.
///
/// A key that cannot be removed now is left for the next time. One that another store may use stays listed as long as
/// it exists, so that [`key_file::plan`](super::key_file::plan) does not take it again. The caller must hold the
/// directory lock, because another process may just be making one of these keys.
pub(in crate::store) fn sweep(connection: &Connection, context: &Context) -> Result<(), Fault> {
    let in_use = Row::read(connection)?.and_then(|row| row.location());
    for location in unused::read(connection)? {
        let is_used = in_use.as_ref().is_some_and(|in_use| in_use.is_same(&location, context));
        if !is_used && location.uninstall(context).is_ok_and(|removed| removed) {
            unused::remove(connection, &location)?;
        }
    }
    Ok(())
}
