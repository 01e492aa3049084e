//! Between a row and what it means.

use jiff::Timestamp;
use rusqlite::{Row, types::Type};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};

use super::details::Details;
use crate::{
    credential::{Kind, Metadata},
    name::{Address, Name},
};

/// What is known of a stored credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where it is.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// What the vendor said of it.
    pub metadata: Metadata,
    /// The parts of its secret that are there and not blank: `access_token`, `refresh_token`, `id_token` and what begins
    /// with `login.`, where a native login came from; or the names of fields. None for kinds with one part, and for what
    /// an older version stored.
    pub parts: Vec<String>,
    /// When it was first stored, to the millisecond.
    pub created_at: Timestamp,
    /// When it was last replaced, to the millisecond.
    pub updated_at: Timestamp,
    /// Changes with each change and never comes back; for compare-and-swap.
    pub version: i64,
}

/// The columns that [`summary`] reads, in its order.
pub(super) const COLUMNS: &str = "provider, credential_set, profile, kind, account, host, scopes, \
     expires_at, created_at, updated_at, version, details";

/// The index of the column after those.
pub(super) const SECRET: usize = 12;

pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let Details { owner, parts } = text(row, 11, Details::read)?;
    Ok(Summary {
        address: Address { provider: name(row, 0)?, set: name(row, 1)?, profile: name(row, 2)? },
        kind: text(row, 3, |text| Kind::deserialize(text.into_deserializer()).map_err(|e: value::Error| e))?,
        metadata: Metadata {
            account: row.get(4)?,
            host: row.get(5)?,
            scopes: text(row, 6, |text| serde_json::from_str(text))?,
            expires_at: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
            owner,
        },
        parts,
        created_at: time(row.get(8)?)?,
        updated_at: time(row.get(9)?)?,
        version: row.get(10)?,
    })
}

pub(super) fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<Name> {
    text(row, column, str::parse)
}

fn text<T, E>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Result<T, E>) -> rusqlite::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str()?;
    parse(text).map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}

/// A time as stored, in Unix milliseconds.
pub(super) fn time(milliseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, milliseconds))
}
