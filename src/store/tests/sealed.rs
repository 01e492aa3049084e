//! What was sealed opens where it was sealed, as it was, and nowhere else.

use super::*;

/// A whole row of `credential`, to be put somewhere.
type Row = Vec<rusqlite::types::Value>;

fn row(store: &Store, provider: &str) -> Row {
    let sql = "SELECT * FROM credential WHERE provider = ?";
    let read = |row: &rusqlite::Row<'_>| (0..13).map(|column| row.get(column)).collect();
    store.connection.query_row(sql, [provider], read).expect("a row")
}

fn put_back(store: &Store, row: Row) {
    let sql = "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    store.connection.execute(sql, rusqlite::params_from_iter(row)).expect("put back");
}

#[track_caller]
fn does_not_open(store: &Store, provider: &str, says: &str) {
    let before = row(store, provider);
    let error = store.get(&address(provider)).expect_err("opened");
    assert!(matches!(error, StoreError::NotOpened { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains(provider) && said.contains(says) && !said.contains("s3cret"), "{said}");
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
fn not_at_another_address() {
    let (_directory, store) = store();
    let sql = "UPDATE credential SET (secret, version) =
               (SELECT secret, version FROM credential WHERE provider = 'codex') WHERE provider = 'gh'";
    store.connection.execute(sql, []).expect("moved");
    does_not_open(&store, "gh", "older one was put back");
    assert!(store.get(&address("codex")).expect("readable").is_some());
}

#[test]
fn not_under_the_version_of_another_address_either() {
    let (_directory, store) = store();
    let sql = "UPDATE credential SET secret = (SELECT secret FROM credential WHERE provider = 'codex')
               WHERE provider = 'gh'";
    store.connection.execute(sql, []).expect("moved");
    does_not_open(&store, "gh", "belongs to another address");
}

#[test]
fn not_under_another_name() {
    let (_directory, store) = store();
    store
        .connection
        .execute("UPDATE credential SET provider = 'glab' WHERE provider = 'gh'", [])
        .expect("renamed");
    does_not_open(&store, "glab", "from elsewhere");
}

#[test]
fn not_when_an_older_one_is_put_back() {
    let (_directory, mut store) = store();
    let old = row(&store, "gh");
    store.put(&address("gh"), &key("s3cret-new"), &none()).expect("replaced");
    let new = row(&store, "gh");
    put_back(&store, old.clone());
    does_not_open(&store, "gh", "older one was put back");
    // Its version alone does not make it the newer one.
    let mut older = new.clone();
    older[11].clone_from(&old[11]);
    put_back(&store, older);
    does_not_open(&store, "gh", "was altered");
    put_back(&store, new);
    assert!(store.get(&address("gh")).expect("readable").is_some());
}

#[test]
fn not_when_it_was_removed_and_is_put_back() {
    let (_directory, mut store) = store();
    let old = row(&store, "gh");
    store.remove(&address("gh")).expect("removed");
    put_back(&store, old);
    does_not_open(&store, "gh", "from elsewhere");
}

#[test]
fn not_when_a_bit_of_it_is_another_one() {
    let (_directory, store) = store();
    let mut altered = row(&store, "gh");
    let secret = altered.iter_mut().find_map(|value| match value {
        rusqlite::types::Value::Blob(secret) => Some(secret),
        _ => None,
    });
    secret.expect("a secret")[40] ^= 1;
    put_back(&store, altered);
    does_not_open(&store, "gh", "was altered");
}

#[test]
fn a_new_one_can_take_its_place() {
    let (_directory, mut store) = store();
    store.connection.execute("UPDATE credential SET version = version - 1", []).expect("altered");
    does_not_open_all(&store);
    let stored = store.put(&address("gh"), &key("again"), &none()).expect("stored");
    assert_eq!(store.get(&address("gh")).expect("readable"), Some(stored));
}

fn does_not_open_all(store: &Store) {
    assert_eq!(store.check().expect("checked").len(), 2);
}

#[test]
fn not_with_a_ledger_that_was_altered() {
    for sql in [
        "UPDATE ledger SET sealed = x'00' WHERE part = 256",
        "DELETE FROM ledger WHERE part = 256",
        "DELETE FROM ledger WHERE part < 256",
        "UPDATE ledger SET part = 256 - part WHERE part < 256",
    ] {
        let (_directory, mut store) = store();
        store.connection.execute(sql, []).expect("altered");
        let error = store.get(&address("gh")).expect_err("opened");
        assert!(matches!(error, StoreError::LedgerAltered { .. }), "{sql}: {error}");
        // What is listed there for others must not be lost.
        store.put(&address("gh"), &key("k"), &none()).expect_err("not over an altered ledger");
        assert!(store.remove(&address("gh")).expect("removed").found);
    }
}

#[test]
fn not_without_its_key_file_and_not_with_another_one() {
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
fn nor_with_a_record_of_the_key_that_was_altered() {
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
fn a_removal_needs_no_key() {
    let (directory, store) = store();
    drop(store);
    fs::remove_file(directory.path().join("store.key")).expect("removed");
    let mut store = Store::open(directory.path()).expect("a store");
    assert!(store.remove(&address("gh")).expect("removed").found);
}

#[test]
fn what_is_sealed_is_not_buried_under_another_key_when_the_record_of_its_own_is_gone() {
    let (directory, store) = store();
    store.connection.execute("CREATE TABLE kept AS SELECT * FROM store_key", []).expect("kept");
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
    let path = directory.path().join(FILE_NAME);
    let database = rusqlite::Connection::open(path).expect("opened");
    database.execute("INSERT INTO store_key SELECT * FROM kept", []).expect("put back");
    drop(database);
    let store = Store::open(directory.path()).expect("a store");
    assert_eq!((row(&store, "gh"), files(&directory)), (sealed, file));
    let record = store.get(&address("gh")).expect("opened").expect("there");
    assert_eq!(record.credential, key("s3cret-gh"));
}
