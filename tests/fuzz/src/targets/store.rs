//! A database that somebody altered: what is sealed in it opens as it was, or not at all.
//!
//! An input is a list of changes of one byte for what is changed, one for how, one for where, and one for how many
//! bytes of the input go there. The keys of the store's key are left alone: they name files and programs.

use std::{fs, path::Path, sync::LazyLock};

use authenticate::{
    credential::{Address, Credential, Metadata, OAuth},
    store::{FILE_NAME, KeySource, Place, Store, StoreError},
};
use rusqlite::{Connection, types::Value};
use tempfile::TempDir;

use crate::canary::{hidden, undebugged};

/// Where something is in the database: the table, the column, and the row.
const PLACES: &[(&str, &str, &str)] = &[
    ("credential", "secret", "provider = 'codex'"),
    ("credential", "secret", "provider = 'gh'"),
    ("credential", "host", "provider = 'gh'"),
    ("credential", "created_at", "provider = 'gh'"),
    ("store_key", "created_at", "id = 1"),
    ("credential", "version", "provider = 'codex'"),
    ("credential", "provider", "provider = 'codex'"),
    ("credential", "credential_set", "provider = 'codex'"),
    ("credential", "profile", "provider = 'gh'"),
    ("credential", "kind", "provider = 'gh'"),
    ("credential", "account", "provider = 'gh'"),
    ("credential", "scopes", "provider = 'gh'"),
    ("credential", "expires_at", "provider = 'codex'"),
    ("credential", "updated_at", "provider = 'gh'"),
    ("credential", "details", "provider = 'codex'"),
    ("store_key", "key_id", "id = 1"),
    ("store_key", "wrapped", "id = 1"),
    ("store_key", "erased", "id = 1"),
    ("clock", "version", "id = 1"),
    ("exchange", "state", "provider = 'codex'"),
    ("exchange", "version", "provider = 'codex'"),
    ("exchange", "since", "provider = 'codex'"),
];

/// The store as it was, with nobody who has it open.
static BEFORE: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path()).expect("a store");
    for (address, credential) in stored() {
        store.put(&address, &credential, &Metadata::default()).expect("stored");
    }
    directory
});

fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(Place::from(directory).key_source(KeySource::KeyFile))
}

fn stored() -> [(Address, Credential); 2] {
    let oauth = OAuth {
        access_token: "c4nary!-access".into(),
        refresh_token: Some("c4nary!-refresh".into()),
        id_token: None,
        extra: Default::default(),
    };
    let address = |provider: &str| Address::default_profile(provider.parse().expect("a name"));
    [
        (address("codex"), Credential::OAuth(oauth)),
        (address("gh"), Credential::Token { token: "c4nary!-token".into() }),
    ]
}

pub fn run(data: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    for file in fs::read_dir(BEFORE.path()).expect("files").flatten() {
        fs::copy(file.path(), directory.path().join(file.file_name())).expect("copied");
    }
    let changed = change(&directory.path().join(FILE_NAME), data).expect("changed");
    let store = match open(directory.path()) {
        Ok(store) => store,
        Err(error) => return hidden(error),
    };
    undebugged(&store);
    if let Err(error) = store.list(None) {
        hidden(error);
    }
    for (address, credential) in stored() {
        match store.get(&address) {
            // Whatever else was altered, the secret is the one that was sealed.
            Ok(Some(found)) => assert_eq!(found.credential, credential, "something else was opened"),
            Ok(None) => assert!(changed, "it is gone"),
            Err(error) => {
                assert!(changed, "{error}");
                hidden(error);
            }
        }
    }
    match store.check() {
        Ok(findings) => assert!(changed || findings.is_empty(), "{findings:?}"),
        Err(error) => hidden(error),
    }
}

/// Whether anything was changed.
fn change(file: &Path, mut data: &[u8]) -> rusqlite::Result<bool> {
    let connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")?;
    let mut changed = false;
    while let [place, how, at, length, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let (table, column, row) = PLACES[usize::from(*place) % PLACES.len()];
        let sql = format!("SELECT {column} FROM {table} WHERE {row} LIMIT 1");
        let Ok(old) = connection.query_row(&sql, [], |row| row.get::<_, Value>(0)) else { continue };
        let new = altered(&old, *how, usize::from(*at), bytes);
        // A column takes what is of its type.
        let sql = format!("UPDATE {table} SET {column} = ? WHERE {row}");
        if new != old && connection.execute(&sql, [&new]).is_ok() {
            changed = true;
        }
    }
    connection.close().map_err(|(_, error)| error)?;
    Ok(changed)
}

fn altered(old: &Value, how: u8, at: usize, bytes: &[u8]) -> Value {
    let text = || Value::Text(String::from_utf8_lossy(bytes).into_owned());
    match (old, how % 4) {
        (_, 3) => Value::Null,
        (Value::Blob(_), 0) => Value::Blob(bytes.to_vec()),
        (Value::Blob(old), 1) => {
            let mut new = old.clone();
            new.truncate(at);
            Value::Blob(new)
        }
        (Value::Blob(old), _) => {
            let mut new = old.clone();
            for (to, by) in new.iter_mut().skip(at).zip(bytes) {
                *to ^= by;
            }
            Value::Blob(new)
        }
        (Value::Integer(old), 0) => Value::Integer(old.wrapping_add(at as i64 - 128)),
        (Value::Integer(_), _) => {
            let mut number = [0; 8];
            number.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
            Value::Integer(i64::from_be_bytes(number))
        }
        _ => text(),
    }
}
