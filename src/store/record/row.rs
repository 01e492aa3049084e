//! Between a row and what it means.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, types::Type};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};

use super::details::Details;
use crate::credential::{Address, Kind, Metadata, Name, Record};

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

/// What is stored: what can be read, and what cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The credentials, sorted by provider, set and profile.
    pub credentials: Vec<Summary>,
    /// Rows that are there and make no sense. They are nothing to the others.
    pub unreadable: Vec<Unreadable>,
}

/// A row of which what is beside the secret makes no sense: somebody has changed it, or the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what {} holds for {row} cannot be read: {why}; remove it with logout, or restore a backup", path.display())]
pub struct Unreadable {
    /// The database.
    pub path: PathBuf,
    /// Where it is; `None` where its names are none.
    pub address: Option<Address>,
    /// The same for people, with what stands in place of names.
    pub row: String,
    /// What is wrong with it.
    pub why: String,
    pub(in crate::store) key: RawKey,
}

/// The primary key as it is in the database, whatever that is: provider, set and profile.
pub(in crate::store) type RawKey = [Vec<u8>; 3];

/// Which row it is that has this key. Slower than by address.
pub(in crate::store) const BY_RAW_KEY: &str =
    "CAST(provider AS BLOB) = ? AND CAST(credential_set AS BLOB) = ? AND CAST(profile AS BLOB) = ?";

/// No more of what stands in place of a name is shown.
const MOST: usize = 64;

/// The columns that [`summary`] reads, in its order.
pub(in crate::store) const COLUMNS: &str = "provider, credential_set, profile, kind, account, host, scopes, \
     expires_at, created_at, updated_at, version, details";

/// The index of the column `version`.
pub(in crate::store) const VERSION: usize = 10;

/// The index of the column after those.
pub(in crate::store) const SECRET: usize = 12;

/// The outer result is SQLite's.
pub(in crate::store) fn summary(row: &Row<'_>) -> rusqlite::Result<Result<Summary, Unreadable>> {
    sorted_out(row, read(row))
}

/// The address and the version: all that sealing needs.
pub(in crate::store) fn address_and_version(
    row: &Row<'_>,
) -> rusqlite::Result<Result<(Address, i64), Unreadable>> {
    sorted_out(row, address(row).and_then(|address| Ok((address, row.get(VERSION)?))))
}

fn sorted_out<T>(row: &Row<'_>, read: rusqlite::Result<T>) -> rusqlite::Result<Result<T, Unreadable>> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(error) if error.sqlite_error().is_some() => Err(error),
        Err(error) => unreadable(row, &error).map(Err),
    }
}

/// Nothing of what is there is in it but what stands in place of names.
fn unreadable(row: &Row<'_>, error: &rusqlite::Error) -> rusqlite::Result<Unreadable> {
    let column = match error {
        rusqlite::Error::FromSqlConversionFailure(column, ..)
        | rusqlite::Error::IntegralValueOutOfRange(column, _)
        | rusqlite::Error::InvalidColumnType(column, ..) => COLUMNS.split(", ").nth(*column),
        _ => None,
    };
    let why =
        column.map_or_else(|| "it makes no sense".into(), |column| format!("its {column} makes no sense"));
    let mut key = RawKey::default();
    for (column, bytes) in key.iter_mut().enumerate() {
        *bytes = row.get_ref(column)?.as_bytes().unwrap_or_default().to_vec();
    }
    let address = address(row).ok();
    let row = address.as_ref().map_or_else(|| named(&key), Address::to_string);
    Ok(Unreadable { path: PathBuf::new(), address, row, why, key })
}

fn named(key: &RawKey) -> String {
    let [provider, set, profile] =
        key.each_ref().map(|name| String::from_utf8_lossy(name).chars().take(MOST).collect::<String>());
    format!("{provider:?}:{profile:?} (set {set:?})")
}

fn address(row: &Row<'_>) -> rusqlite::Result<Address> {
    Ok(Address { provider: name(row, 0)?, set: name(row, 1)?, profile: name(row, 2)? })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let Details { owner, parts } = text(row, 11, Details::read)?;
    Ok(Summary {
        address: address(row)?,
        kind: text(row, 3, |text| Kind::deserialize(text.into_deserializer()).map_err(|e: value::Error| e))?,
        metadata: Metadata {
            account: row.get(4)?,
            host: row.get(5)?,
            scopes: text(row, 6, |text| serde_json::from_str(text))?,
            expires_at: row.get::<_, Option<i64>>(7)?.map(|at| time_in(7, at)).transpose()?,
            owner,
        },
        parts,
        created_at: time_in(8, row.get(8)?)?,
        updated_at: time_in(9, row.get(9)?)?,
        version: row.get(VERSION)?,
    })
}

pub(in crate::store) fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<Name> {
    text(row, column, str::parse)
}

fn text<T, E>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Result<T, E>) -> rusqlite::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
    };
    let text = row.get_ref(column)?.as_str().map_err(|error| failed(error.into()))?;
    parse(text).map_err(|error| failed(error.into()))
}

/// A time as stored, in Unix milliseconds.
pub(in crate::store) fn time(milliseconds: i64) -> rusqlite::Result<Timestamp> {
    time_in(0, milliseconds)
}

fn time_in(column: usize, milliseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, milliseconds))
}

const INSERT: &str = "
INSERT INTO credential (provider, credential_set, profile, kind, account, host, scopes,
                        expires_at, created_at, updated_at, version, details, secret)
VALUES (:provider, :set, :profile, :kind, :account, :host, :scopes,
        :expires_at, :created_at, :updated_at, :version, :details, :secret)";

const REPLACE: &str = "
UPDATE credential SET
    kind = :kind, account = :account, host = :host, scopes = :scopes, expires_at = :expires_at, created_at = :created_at,
    updated_at = :updated_at, version = :version, details = :details, secret = :secret
WHERE provider = :provider AND credential_set = :set AND profile = :profile";

/// Writes a credential, sealed as `secret`, where there is none.
pub(in crate::store) fn insert(change: &Connection, record: &Record, secret: &[u8]) -> rusqlite::Result<()> {
    execute(change, INSERT, record, secret)
}

/// Writes it in the place of the one that is there.
pub(in crate::store) fn replace(change: &Connection, record: &Record, secret: &[u8]) -> rusqlite::Result<()> {
    execute(change, REPLACE, record, secret)
}

fn execute(change: &Connection, sql: &str, record: &Record, secret: &[u8]) -> rusqlite::Result<()> {
    let Record { address, credential, metadata, created_at, updated_at, version } = record;
    let written = change.prepare_cached(sql)?.execute(named_params! {
        ":provider": address.provider.as_str(),
        ":set": address.set.as_str(),
        ":profile": address.profile.as_str(),
        ":kind": credential.kind().as_str(),
        ":account": metadata.account,
        ":host": metadata.host,
        ":scopes": serde_json::Value::from(metadata.scopes.clone()).to_string(),
        ":expires_at": metadata.expires_at.map(Timestamp::as_millisecond),
        ":created_at": created_at.as_millisecond(),
        ":updated_at": updated_at.as_millisecond(),
        ":version": version,
        ":details": Details::of(credential, metadata).write(),
        ":secret": secret,
    });
    written.map(drop)
}
