//! Databases that earlier versions wrote, with plain secrets. The fixture was written by the first one.

use std::time::Duration;

use super::*;
use crate::credential::Kind;

const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/schema-1.db");
const CANARY: &str = "PLAINCANARY";

fn with_fixture() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join(FILE_NAME);
    fs::write(&file, FIXTURE).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("closed to others");
    (directory, file)
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

/// Everything is as it was, and sealed.
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
fn opening_seals_them_and_nothing_plain_is_left() {
    let (directory, _) = with_fixture();
    assert!(FIXTURE.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
    drop(Store::open_existing(directory.path()).expect("opened").expect("there"));
    no_file_holds_the_canary(&directory);
    is_sealed(&directory);
}

#[test]
fn what_is_in_the_log_only_is_sealed_too() {
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
fn a_reader_that_keeps_plain_pages_there_only_delays_it() {
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
fn many_that_open_it_at_once_seal_it_once() {
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
fn without_a_key_it_stays_as_it_is_until_there_is_one() {
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

/// Within the test's time, whatever is in the way.
#[test]
fn a_locked_one_is_an_error_and_sealed_the_next_time() {
    let (directory, file) = with_fixture();
    let mut writer = Connection::open(&file).expect("opened");
    writer.busy_timeout(Duration::ZERO).expect("no waiting");
    let held = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("held");
    let error = Store::open(directory.path()).expect_err("locked");
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    held.rollback().expect("let go");
    drop(writer);
    is_sealed(&directory);
}
