//! Databases of earlier versions. There is a fixture of each schema; up to schema 2, secrets were plain.
//!
//! The fixtures from schema 3 on are sealed with the key in `store.key`.

use std::time::Duration;

use super::*;
use crate::credential::{Kind, Owner};

const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/schema-1.db");
const CANARY: &str = "PLAINCANARY";

/// The fixtures of the other schemas, by schema version from 2 on.
const LATER: [&[u8]; SCHEMA_VERSION as usize - 2] = [
    include_bytes!("../../../tests/fixtures/schema-2.db"),
    include_bytes!("../../../tests/fixtures/schema-3.db"),
    include_bytes!("../../../tests/fixtures/schema-4.db"),
    include_bytes!("../../../tests/fixtures/schema-5.db"),
    include_bytes!("../../../tests/fixtures/schema-6.db"),
];
const STORE_KEY: &[u8] = include_bytes!("../../../tests/fixtures/store.key");

fn write_private(file: &Path, content: &[u8]) {
    fs::write(file, content).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("closed to others");
}

fn with_fixture() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join(FILE_NAME);
    write_private(&file, FIXTURE);
    (directory, file)
}

#[test]
fn database_of_each_schema_is_migrated_with_all_that_it_holds() {
    for (schema, fixture) in (2..).zip(LATER) {
        let directory = TempDir::new().expect("a directory");
        write_private(&directory.path().join(FILE_NAME), fixture);
        if schema > 2 {
            write_private(&directory.path().join("store.key"), STORE_KEY);
        }
        let mut store = Store::open(directory.path()).expect("opened");
        assert_eq!(store.schema_when_opened(), schema);
        assert_eq!(store.check().expect("checked"), [""; 0], "schema {schema}");
        no_file_holds_the_canary(&directory);

        let (codex, gh, claude) = (
            Address { profile: name("work"), ..address("codex") },
            Address { set: name("team"), ..address("gh") },
            address("claude"),
        );
        let get = |at: &Address| store.get(at).expect("readable").expect("there");
        let addresses: Vec<_> =
            store.list(None).expect("listed").into_iter().map(|row| row.address).collect();
        assert_eq!(addresses, [claude.clone(), codex.clone(), gh.clone(), address("openai")]);
        let record = get(&codex);
        let Credential::OAuth(tokens) = &record.credential else { panic!("{:?}", record.credential) };
        assert_eq!(tokens.extra["account_id"].expose(), "PLAINCANARY-extra");
        assert_eq!(record.metadata.scopes, ["read", "write"]);
        assert_eq!(get(&address("openai")).credential, key("sk-PLAINCANARY-openai-2"));
        let owner = if schema < 5 { Owner::Us } else { Owner::Vendor };
        assert_eq!(get(&claude).metadata.owner, owner, "schema {schema}");
        let source = (schema > 4).then(|| PathBuf::from("/home/dev/.config/gh"));
        assert_eq!(store.move_source(&gh).expect("read"), source, "schema {schema}");

        let attempt =
            |at: &Address| store.attempt(at).expect("read").map(|attempt| (attempt.state, attempt.why));
        assert_eq!(attempt(&codex), Some((AttemptState::Rejected, Some("invalid_grant".into()))));
        assert_eq!(attempt(&claude), Some((AttemptState::InFlight, None)));
        assert_eq!(attempt(&gh), None);
        let backoff = |at: &Address| store.backoff(at).expect("read").map(|backoff| backoff.why);
        let whys = if schema < 6 { [None, None] } else { [Some("busy".into()), Some("502".into())] };
        assert_eq!([backoff(&codex), backoff(&gh)], whys, "schema {schema}");
        let log = store.audit_log(None, 100).expect("read");
        assert_eq!(log.iter().any(|entry| entry.action == "token"), schema > 3, "schema {schema}");

        // It can be written, too.
        store.put(&codex, &key("new"), &none()).expect("stored");
        assert!(store.remove(&gh).expect("removed").found);
        assert_eq!(store.attempt(&codex).expect("read"), None);
        assert_eq!(store.check().expect("checked"), [""; 0], "schema {schema}");
    }
}

#[track_caller]
fn no_file_holds_the_canary(directory: &TempDir) {
    for entry in fs::read_dir(directory.path()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let content = fs::read(&path).expect("readable");
        let holds = content.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!holds, "{}", path.display());
    }
}

/// The store holds everything that the fixture of schema 1 holds, and it is sealed.
#[track_caller]
fn is_sealed(directory: &TempDir) {
    let store = Store::open(directory.path()).expect("a store");
    assert_eq!(store.check().expect("checked"), [""; 0]);
    assert_eq!(store.list(None).expect("listed").len(), 45);
    let get = |at: &Address| store.get(at).expect("readable").expect("there");
    let codex = get(&Address { profile: name("work"), ..address("codex") });
    let Credential::OAuth(tokens) = &codex.credential else { panic!("{:?}", codex.credential) };
    assert_eq!(tokens.refresh_token.as_ref().map(|token| token.expose()), Some("PLAINCANARY-refresh"));
    assert_eq!(codex.metadata.account.as_deref(), Some("dev@example.org"));
    let gh = get(&Address { set: name("team"), ..address("gh") });
    assert_eq!(gh.credential.usable().map(|token| token.expose().len()), Some(12012));
    assert_eq!(get(&address("email")).credential.kind(), Kind::Basic);
    assert_eq!(get(&address("p39")).version, 45);
    no_file_holds_the_canary(directory);
}

#[test]
fn opening_a_plain_store_seals_it_and_erases_what_was_plain() {
    let (directory, _) = with_fixture();
    assert!(FIXTURE.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
    drop(Store::open_existing(directory.path()).expect("opened").expect("there"));
    no_file_holds_the_canary(&directory);
    is_sealed(&directory);
}

#[test]
fn plain_content_of_the_log_is_sealed_and_erased() {
    let (directory, file) = with_fixture();
    let elsewhere = TempDir::new().expect("a directory");
    let copy = elsewhere.path().join(FILE_NAME);
    fs::copy(&file, &copy).expect("copied");
    let writer = Connection::open(&copy).expect("opened");
    let change = "UPDATE credential SET account = 'PLAINCANARY-in-the-log' WHERE provider = 'p1';
                  UPDATE credential SET account = NULL WHERE provider = 'p1'";
    writer.execute_batch(change).expect("changed");
    // Copied while it is open: the log is not yet played into the database.
    for suffix in ["", "-wal"] {
        let to = super::db::create::beside(&file, suffix);
        fs::copy(super::db::create::beside(&copy, suffix), &to).expect("copied");
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("closed to others");
    }
    assert!(fs::metadata(super::db::create::beside(&file, "-wal")).expect("a log").len() > 0);
    is_sealed(&directory);
}

#[test]
fn reader_of_plain_pages_delays_their_erasure() {
    let (directory, file) = with_fixture();
    let reader = Connection::open(&file).expect("opened");
    reader.execute_batch("BEGIN; SELECT count(*) FROM credential").expect("reading");
    let store = Store::open(directory.path()).expect("a store");
    assert!(store.get(&address("p1")).expect("readable").is_some());
    reader.execute_batch("COMMIT").expect("done");
    drop((reader, store));
    is_sealed(&directory);
}

#[test]
fn plain_store_opened_by_many_at_once_is_sealed_once() {
    let (directory, _) = with_fixture();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = Store::open(directory.path()).expect("a store");
                assert!(store.get(&address("p7")).expect("readable").is_some());
            });
        }
    });
    is_sealed(&directory);
}

#[test]
fn plain_store_without_a_key_is_sealed_when_there_is_one() {
    let (directory, _) = with_fixture();
    // Nobody can make a key file where there is a directory of that name.
    let in_the_way = directory.path().join("store.key");
    fs::create_dir(&in_the_way).expect("made");
    let store = Store::open(directory.path()).expect("a store");
    assert_eq!(store.list(None).expect("listed").len(), 45);
    let error = store.get(&address("p1")).expect_err("nothing plain is handed out");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    fs::remove_dir(&in_the_way).expect("removed");
    assert!(store.get(&address("p1")).expect("readable").is_some());
    drop(store);
    is_sealed(&directory);
}

#[test]
fn plain_store_that_is_locked_is_sealed_the_next_time() {
    let (directory, file) = with_fixture();
    let mut writer = Connection::open(&file).expect("opened");
    writer.busy_timeout(Duration::ZERO).expect("no waiting");
    let held = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("held");
    let error = Store::open(directory.path()).expect_err("locked");
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    held.rollback().expect("let go");
    drop(writer);
    is_sealed(&directory);
}
