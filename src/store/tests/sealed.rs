//! A sealed secret opens at its address, in its version, and unaltered. Otherwise it does not.

use super::*;

/// A whole row of `credential`.
type Row = Vec<rusqlite::types::Value>;

fn row(store: &Store, provider: &str) -> Row {
    let sql = "SELECT * FROM credential WHERE provider = ?";
    let read = |row: &rusqlite::Row<'_>| (0..13).map(|column| row.get(column)).collect();
    store.connection.query_row(sql, [provider], read).expect("a row")
}

fn put_row(store: &Store, row: Row) {
    let sql = "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    store.connection.execute(sql, rusqlite::params_from_iter(row)).expect("put back");
}

#[track_caller]
fn does_not_open(store: &Store, provider: &str) {
    let before = row(store, provider);
    let error = store.get(&address(provider)).expect_err("opened");
    assert!(matches!(error, StoreError::NotOpened { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains(provider)
            && said.contains("was altered, or belongs to another address")
            && !said.contains("s3cret"),
        "{said}"
    );
    assert_eq!(row(store, provider), before, "it was changed");
    assert_eq!(store.check().expect("checked").len(), 1);
}

fn store() -> (TempDir, Store) {
    let (directory, _) = with_database();
    let mut store = Store::open(directory.path()).expect("a store");
    store.put(&address("gh"), &key("s3cret-gh"), &none()).expect("stored");
    (directory, store)
}

#[test]
fn secret_at_another_address_does_not_open() {
    let (_directory, store) = store();
    let sql = "UPDATE credential SET (secret, version) =
               (SELECT secret, version FROM credential WHERE provider = 'codex') WHERE provider = 'gh'";
    store.connection.execute(sql, []).expect("moved");
    does_not_open(&store, "gh");
    assert!(store.get(&address("codex")).expect("readable").is_some());
}

#[test]
fn secret_of_another_address_with_the_version_kept_does_not_open() {
    let (_directory, store) = store();
    let sql = "UPDATE credential SET secret = (SELECT secret FROM credential WHERE provider = 'codex')
               WHERE provider = 'gh'";
    store.connection.execute(sql, []).expect("moved");
    does_not_open(&store, "gh");
}

#[test]
fn secret_in_a_renamed_row_does_not_open() {
    let (_directory, store) = store();
    store
        .connection
        .execute("UPDATE credential SET provider = 'glab' WHERE provider = 'gh'", [])
        .expect("renamed");
    does_not_open(&store, "glab");
}

#[test]
fn secret_with_another_version_does_not_open() {
    let (_directory, mut store) = store();
    let old = row(&store, "gh");
    store.put(&address("gh"), &key("s3cret-new"), &none()).expect("replaced");
    let new = row(&store, "gh");
    // Column 10 is the version, 11 the secret.
    for column in [10, 11] {
        let mut mixed = new.clone();
        mixed[column].clone_from(&old[column]);
        put_row(&store, mixed);
        does_not_open(&store, "gh");
    }
    put_row(&store, new);
    assert!(store.get(&address("gh")).expect("readable").is_some());
}

#[test]
fn secret_with_an_altered_bit_does_not_open() {
    let (_directory, store) = store();
    let mut altered = row(&store, "gh");
    let secret = altered.iter_mut().find_map(|value| match value {
        rusqlite::types::Value::Blob(secret) => Some(secret),
        _ => None,
    });
    secret.expect("a secret")[40] ^= 1;
    put_row(&store, altered);
    does_not_open(&store, "gh");
}

#[test]
fn credential_that_does_not_open_can_be_replaced() {
    let (_directory, mut store) = store();
    store.connection.execute("UPDATE credential SET version = version - 1", []).expect("altered");
    assert_eq!(store.check().expect("checked").len(), 2);
    let stored = store.put(&address("gh"), &key("again"), &none()).expect("stored");
    assert_eq!(store.get(&address("gh")).expect("readable"), Some(stored));
}

#[test]
fn store_without_its_key_file_does_not_open_secrets() {
    let (directory, store) = store();
    drop(store);
    let file = directory.path().join("store.key");
    assert_eq!(mode(&file), 0o600);
    let right = fs::read(&file).expect("read");
    assert_eq!(right.len(), 32);
    let get = || Store::open(directory.path()).and_then(|store| store.get(&address("gh")));
    let refused = |says: &str| {
        let error = get().expect_err("opened");
        assert!(error.to_string().contains(says), "{error}");
        let mut store = Store::open(directory.path()).expect("opening needs no key");
        assert_eq!(store.list(None).expect("nor does listing").len(), 2);
        store.put(&address("gh"), &key("k"), &none()).expect_err("writing does");
    };
    for (bytes, says) in [
        (&[7; 32][..], "it holds another key"),
        (&right[..31], "does not hold a key"),
        (&[&right[..], b"\n"].concat(), "does not hold a key"),
    ] {
        fs::write(&file, bytes).expect("written");
        refused(says);
    }
    fs::remove_file(&file).expect("removed");
    refused("is missing");
    assert!(!file.exists(), "a key was made for a store that has one");
    fs::write(&file, &right).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
    refused("chmod 600");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("changed");
    assert!(get().expect("readable").is_some());
}

#[test]
fn store_with_an_altered_record_of_its_key_does_not_open_secrets() {
    for sql in [
        "UPDATE store_key SET wrapped = zeroblob(73)",
        "UPDATE store_key SET key_id = zeroblob(16)",
        "UPDATE store_key SET parameters = replace(parameters, 'true', 'false')",
    ] {
        let (directory, store) = store();
        store.connection.execute(sql, []).expect("altered");
        let store = Store::open(directory.path()).expect("a store");
        let error = store.get(&address("gh")).expect_err("opened");
        assert!(matches!(error, StoreError::KeySource { .. }), "{sql}: {error}");
    }
}

#[test]
fn removal_without_the_key_works() {
    let (directory, store) = store();
    drop(store);
    fs::remove_file(directory.path().join("store.key")).expect("removed");
    let mut store = Store::open(directory.path()).expect("a store");
    assert!(store.remove(&address("gh")).expect("removed").found);
}

#[test]
fn sealed_store_without_the_record_of_its_key_gets_no_other_key() {
    let (directory, store) = store();
    let kept = store.key_row().expect("read").expect("a key");
    let files = |directory: &TempDir| fs::read(directory.path().join("store.key")).expect("the key file");
    let (sealed, file) = (row(&store, "gh"), files(&directory));
    store.connection.execute("DELETE FROM store_key", []).expect("deleted");
    drop(store);
    for _ in 0..2 {
        let error = Store::open(directory.path())
            .and_then(|mut store| store.put(&address("acme"), &key("other"), &none()))
            .expect_err("sealed again");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("the record of its key is gone"), "{error}");
    }
    let store = Store::open(directory.path()).expect("a store");
    kept.write(&store.connection).expect("put back");
    assert_eq!((row(&store, "gh"), files(&directory)), (sealed, file));
    let record = store.get(&address("gh")).expect("opened").expect("there");
    assert_eq!(record.credential, key("s3cret-gh"));
}

/// Up to schema 7 the command was recorded, and run as the database had it.
#[test]
fn recorded_command_of_an_earlier_version_is_not_run() {
    use super::{
        crypto::seal::AssociatedData,
        key::{ChosenSource, PromptPolicy, choose},
    };

    let directory = TempDir::new().expect("a directory");
    let paths = crate::config::Paths::new(directory.path().join("config"), directory.path().join("data"));
    fs::create_dir(paths.config()).expect("made");
    let file = paths.config().join("config.yaml");
    fs::write(&file, "store: {passphrase_command: [echo, passphrase]}").expect("written");
    let mut store = Store::open(&paths).expect("a store");
    store.put(&address("codex"), &key("s3cret"), &none()).expect("stored");

    let ran = directory.path().join("ran");
    let context = store.context(PromptPolicy::No);
    let made = choose(store.place.key_config().expect("settings"), &context).expect("a key");
    let ChosenSource::Made(new) = made else { panic!("{made:?}") };
    let derivation = new.location.columns().1.split_off(1);
    let parameters = format!(r#"{{"command":["touch",{ran:?}],{derivation}"#);
    let data_key = store.key(PromptPolicy::No).expect("a key");
    let data = AssociatedData::new("data key", &[&data_key.id, b"command", parameters.as_bytes()]);
    let wrapped = new.key.seal(&data, data_key.key.expose()).expect("sealed");
    let row = (&parameters, wrapped);
    store.connection.execute("UPDATE store_key SET parameters = ?, wrapped = ?", row).expect("written");
    drop(store);

    let get = || Store::open(&paths).expect("a store").get(&address("codex"));
    assert_eq!(get().expect("opened").expect("there").credential, key("s3cret"));
    fs::write(&file, "store: {key_source: keyring}").expect("written");
    let error = get().expect_err("no command is set").to_string();
    assert!(error.contains("store: {passphrase_command: [PROGRAM, ARGUMENT]}"), "{error}");
    assert!(!ran.exists());
}
