//! The rows of credentials: from columns to values, and back.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{
    Connection, Row, named_params,
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IntoDeserializer, value},
};

use crate::credential::{Address, Kind, Metadata, Name, Owner, Record};

/// A stored credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The address.
    pub address: Address,
    /// The kind.
    pub kind: Kind,
    /// The metadata from the vendor.
    pub metadata: Metadata,
    /// The parts of the secret that are there and not blank: `access_token`, `refresh_token`, `id_token` and names that begin
    /// with `login.`, for the origin of an OAuth login; or the names of fields. Empty for kinds with one part, and for
    /// credentials that an older version stored.
    pub parts: Vec<String>,
    /// The time when it was first stored, to the millisecond.
    pub created_at: Timestamp,
    /// The time when it was last replaced, to the millisecond.
    pub updated_at: Timestamp,
    /// The version, for compare-and-swap. Each change takes a new one, and none is used twice.
    pub version: i64,
}

/// The rows of the store: those that can be read, and those that cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The credentials, sorted by provider, set and profile.
    pub credentials: Vec<Summary>,
    /// The rows that cannot be read. They do not affect the others.
    pub unreadable: Vec<Unreadable>,
}

/// A row whose metadata cannot be read: a person or the disk has damaged it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what {} holds for {row} cannot be read: {why}", path.display())]
pub struct Unreadable {
    /// The database.
    pub path: PathBuf,
    /// The address; `None` if its names are not valid.
    pub address: Option<Address>,
    /// The address for people, with whatever is in place of valid names.
    pub row: String,
    /// The damage.
    pub why: String,
    pub(in crate::store) key: RawKey,
}

/// The bytes in the key columns, which may not be valid names: provider, set and profile.
pub(in crate::store) type RawKey = [Vec<u8>; 3];

/// The condition that finds the row with a [`RawKey`].
pub(in crate::store) const BY_RAW_KEY: &str =
    "provider = CAST(? AS TEXT) AND credential_set = CAST(? AS TEXT) AND profile = CAST(? AS TEXT)";

/// The number of characters of an invalid name that are shown.
const SHOWN: usize = 64;

/// The columns that [`summary`] reads, in its order.
pub(in crate::store) const COLUMNS: &str = "provider, credential_set, profile, kind, account, host, scopes, \
     expires_at, created_at, updated_at, version, details";

/// The index of the column `version`.
pub(in crate::store) const VERSION: usize = 10;

/// The index of the secret in [`WITH_SECRET`].
pub(in crate::store) const SECRET: usize = 12;

/// Selects all columns that [`summary`] reads, and the secret.
pub(in crate::store) const WITH_SECRET: &str = "SELECT provider, credential_set, profile, kind, account, host, scopes, \
     expires_at, created_at, updated_at, version, details, secret FROM credential";

/// Reads everything but the secret. The outer result is SQLite's.
pub(in crate::store) fn summary(row: &Row<'_>) -> rusqlite::Result<Result<Summary, Unreadable>> {
    match read(row) {
        Ok(read) => Ok(Ok(read)),
        Err(error) if error.sqlite_error().is_some() => Err(error),
        Err(error) => unreadable(row, &error).map(Err),
    }
}

/// Describes the damage. Of the row's content, only the names are shown.
fn unreadable(row: &Row<'_>, error: &rusqlite::Error) -> rusqlite::Result<Unreadable> {
    let column = match error {
        rusqlite::Error::FromSqlConversionFailure(column, ..)
        | rusqlite::Error::IntegralValueOutOfRange(column, _)
        | rusqlite::Error::InvalidColumnType(column, ..)
        | rusqlite::Error::Utf8Error(column, _) => COLUMNS.split(", ").nth(*column),
        _ => None,
    };
    let why = column.map_or_else(|| "it is not valid".into(), |column| format!("its {column} is not valid"));
    let key = raw_key(row)?;
    let address = address(row).ok();
    let row = address.as_ref().map_or_else(|| named(&key), Address::to_string);
    Ok(Unreadable { path: PathBuf::new(), address, row, why, key })
}

fn named(key: &RawKey) -> String {
    let [provider, set, profile] =
        key.each_ref().map(|name| String::from_utf8_lossy(name).chars().take(SHOWN).collect::<String>());
    format!("{provider:?}:{profile:?} (set {set:?})")
}

/// Reads the first three columns, whatever is in them.
pub(in crate::store) fn raw_key(row: &Row<'_>) -> rusqlite::Result<RawKey> {
    let mut key = RawKey::default();
    for (column, bytes) in key.iter_mut().enumerate() {
        *bytes = row.get_ref(column)?.as_bytes().unwrap_or_default().to_vec();
    }
    Ok(key)
}

/// Reads the address in the first three columns.
pub(in crate::store) fn address(row: &Row<'_>) -> rusqlite::Result<Address> {
    Ok(Address { provider: row.get(0)?, set: row.get(1)?, profile: row.get(2)? })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let (Json(scopes), Json(details)): (_, Json<Details>) = (row.get(6)?, row.get(11)?);
    Ok(Summary {
        address: address(row)?,
        kind: row.get(3)?,
        metadata: Metadata {
            account: row.get(4)?,
            plan: details.plan,
            host: row.get(5)?,
            scopes,
            expires_at: row.get::<_, Option<Millis>>(7)?.map(|Millis(at)| at),
            owner: details.owner,
        },
        parts: details.parts,
        created_at: row.get::<_, Millis>(8)?.0,
        updated_at: row.get::<_, Millis>(9)?.0,
        version: row.get(VERSION)?,
    })
}

/// The column `details`: metadata without members that have their usual value. The member `moving_from` is read
/// elsewhere, see `import_progress`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    /// The owner, who refreshes it.
    #[serde(skip_serializing_if = "Owner::is_us")]
    owner: Owner,
    /// The account's plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// The parts of the secret that are there and not blank, for kinds that have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

/// A value that is stored as JSON.
struct Json<T>(T);

/// A time that is stored in Unix milliseconds.
pub(in crate::store) struct Millis(pub(in crate::store) Timestamp);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let at = Timestamp::from_millisecond(value.as_i64()?);
        at.map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::deserialize(value.as_str()?.into_deserializer()).map_err(FromSqlError::other::<value::Error>)
    }
}

const WRITE: &str = "
INSERT INTO credential (provider, credential_set, profile, kind, account, host, scopes,
                        expires_at, created_at, updated_at, version, details, secret)
VALUES (:provider, :set, :profile, :kind, :account, :host, :scopes,
        :expires_at, :created_at, :updated_at, :version, :details, :secret)
ON CONFLICT DO UPDATE SET
    kind = excluded.kind, account = excluded.account, host = excluded.host, scopes = excluded.scopes,
    expires_at = excluded.expires_at, created_at = excluded.created_at, updated_at = excluded.updated_at,
    version = excluded.version, details = excluded.details, secret = excluded.secret";

/// Writes a record with its sealed secret, and replaces the row that is there.
pub(in crate::store) fn write(change: &Connection, record: &Record, secret: &[u8]) -> rusqlite::Result<()> {
    let Record { address, credential, metadata, created_at, updated_at, version } = record;
    let details = Details { owner: metadata.owner, plan: metadata.plan.clone(), parts: credential.parts() };
    let details = serde_json::to_string(&details).unwrap_or_else(|_| "{}".to_owned());
    let written = change.prepare_cached(WRITE)?.execute(named_params! {
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
        ":details": details,
        ":secret": secret,
    });
    written.map(drop)
}
