//! `authenticate store`: status, lock, unlock, rekey, migrate.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use authenticate::store::SCHEMA_VERSION;
use rusqlite::Connection;
use test_support::{
    CANARY, Home, KEY, code, files_below,
    one_key::{FILE, PASSPHRASE, prints_the_key, store, token, with_key},
    program_path,
    pty::Session,
};

const FIXTURE: &[u8] = include_bytes!("../fixtures/schema-1.db");

/// A home with a key in a store that is sealed with a passphrase, and the file that holds it.
fn with_passphrase() -> (Home, PathBuf) {
    let home = with_key();
    store(&home, ["rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input(PASSPHRASE)
        .exits(code::DONE);
    let file = home.write("passphrase", PASSPHRASE);
    (home, file)
}

#[track_caller]
pub fn no_file_holds(home: &Home, text: &str) {
    for file in files_below(home.path()) {
        let content = fs::read(&file).expect("read");
        let holds = content.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds, "{text}: {}", file.display());
    }
}

#[test]
fn status_needs_no_key() {
    let home = Home::new();
    store(&home, ["status"]).exits(code::DONE).says("there is no store yet");
    let none = store(&home, ["status", "--json"]).exits(code::DONE).json();
    assert_eq!((&none["file"], &none["records"]), (&serde_json::Value::Null, &0.into()));
    assert!(!home.data().exists());
    let (home, _) = with_passphrase();
    let shown = store(&home, ["status"]).exits(code::DONE).stdout;
    let schema = format!("schema   {SCHEMA_VERSION}");
    for line in [
        &schema,
        "records  1",
        "source   passphrase",
        "locked   yes; unlock it with: authenticate store unlock",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let json =
        store(&home, ["status", "--json"]).env("AUTHENTICATE_KEY_SOURCE", "keyring").exits(code::DONE).json();
    assert_eq!(json["file"], home.database().to_str().unwrap());
    assert_eq!((&json["locked"], &json["sealed"]), (&true.into(), &true.into()));
    assert_eq!(json["key"]["source"], "passphrase");
    assert!(json["note"].as_str().unwrap().contains("rekey --source keyring"), "{json}");
}

#[test]
fn unlock_with_a_passphrase_is_refused_by_a_store_without_one() {
    let home = Home::new();
    home.stores("openai", KEY);
    store(&home, ["unlock", "--passphrase-stdin"])
        .input("any")
        .exits(code::USAGE)
        .says("the store has no passphrase: its key is in ");
}

#[test]
fn unlock_makes_no_key() {
    let home = Home::new();
    let unlock = || {
        let unlock = store(&home, ["unlock", "--passphrase-stdin"]).input(PASSPHRASE);
        let ended = unlock.env("AUTHENTICATE_KEY_SOURCE", "passphrase").exits(code::NO_CREDENTIAL);
        ended.says("there is no store");
    };
    unlock();
    // A login that failed for lack of a passphrase has made the file.
    let login = home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY);
    login.env("AUTHENTICATE_KEY_SOURCE", "passphrase").exits(code::STORE);
    unlock();
    assert_eq!(store(&home, ["status", "--json"]).exits(code::DONE).json()["sealed"], false);
}

#[test]
fn unlocked_store_asks_nothing_until_it_is_locked() {
    let (home, file) = with_passphrase();
    token(&home).exits(code::STORE).says("run `authenticate store unlock`");
    store(&home, ["unlock", "--passphrase-stdin"])
        .input("wrong\n")
        .exits(code::STORE)
        .says("not the passphrase");
    token(&home).exits(code::STORE);
    let unlocked = store(&home, ["unlock", "--json", "--passphrase-file", file.to_str().unwrap()]);
    assert_eq!(unlocked.exits(code::DONE).json()["locked"], false);
    prints_the_key(token(&home));
    home.stores("mistral", "another");
    let status = store(&home, ["status", "--json"]).exits(code::DONE).json();
    assert_eq!(status["locked"], false);
    let until: jiff::Timestamp = status["key"]["unlocked_until"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((8 * 3600 - 60..=8 * 3600).contains(&left), "{left}");
    store(&home, ["lock"]).exits(code::DONE).says("the store is locked");
    store(&home, ["lock"]).exits(code::DONE).says("the store was already locked");
    token(&home).exits(code::STORE);
    no_file_holds(&home, CANARY);
}

/// The key is what must go; that it went is written down if there is room for it.
#[test]
fn lock_works_on_a_full_disk() {
    let (home, file) = with_passphrase();
    let is_locked = || {
        store(&home, ["status", "--json"]).exits(code::DONE).json()["locked"] == true
            && token(&home).ends().code == Some(code::STORE.into())
    };
    // With the shared index of SQLite's log beside the database, as somebody who reads leaves it, and without.
    for written in [false, true] {
        store(&home, ["unlock"]).env(FILE, &file).exits(code::DONE);
        if written {
            home.stores("openai", KEY);
        }
        assert_eq!(home.data().join("credentials.db-shm").exists(), !written);
        let said = store(&home, ["lock"]).without_room().exits(code::DONE);
        said.says("the store is locked").says("warning: the audit log has no entry of this: ");
        assert!(is_locked());
    }
    store(&home, ["unlock"]).env(FILE, &file).exits(code::DONE);
    let json = store(&home, ["lock", "--json"]).without_room().exits(code::DONE).json();
    let said = (&json["locked"], &json["forgotten"], &json["recorded"]);
    assert_eq!(said, (&true.into(), &true.into(), &false.into()));
    store(&home, ["unlock"]).env(FILE, &file).exits(code::DONE);
    let json = store(&home, ["lock", "--json"]).exits(code::DONE).json();
    assert_eq!(json["recorded"], true);
}

#[test]
fn unlocked_store_is_locked_again_after_its_time() {
    let (home, file) = with_passphrase();
    let start = Instant::now();
    store(&home, ["unlock", "--for", "7d"]).env(FILE, &file).exits(code::DONE);
    store(&home, ["unlock", "--for", "2s"]).env(FILE, &file).exits(code::DONE);
    let deadline = Instant::now() + Duration::from_secs(30);
    while token(&home).ends().code == Some(code::DONE.into()) {
        assert!(Instant::now() < deadline, "it stays unlocked");
    }
    assert!(start.elapsed() >= Duration::from_secs(1), "it was never unlocked");
    for (time, says) in [("0s", "write a number"), ("8", "write a number"), ("200h", "at most 7 days")] {
        let refused = store(&home, ["unlock", "--for", time]).exits(code::USAGE);
        refused.says(says);
    }
}

#[test]
fn unlock_asks_at_a_terminal() {
    let (home, _) = with_passphrase();
    let mut session = Session::start(&home, ["store", "unlock"], &[]);
    session.shows("Passphrase of the store").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    assert!(!session.exits(code::DONE).contains(PASSPHRASE));
    prints_the_key(token(&home));
    store(&home, ["lock"]).exits(code::DONE);
    let mut session = Session::start(&home, ["store", "unlock", "--passphrase-stdin"], &[]);
    session.shows("standard input is a terminal");
    session.types("");
    session.exits(code::USAGE);
}

#[test]
fn store_with_a_key_file_needs_no_unlocking() {
    let home = with_key();
    store(&home, ["unlock"]).exits(code::DONE).says("needs no unlocking");
    store(&home, ["lock"]).exits(code::DONE).says("no key was kept");
}

#[test]
fn rekey_seals_everything_and_erases_the_old_key() {
    let home = with_key();
    home.stores("mistral", "another");
    let sealed = || {
        let database = Connection::open(home.database()).expect("opened");
        let sql = "SELECT group_concat(hex(secret)) FROM credential";
        database.query_row(sql, [], |row| row.get::<_, String>(0)).expect("read")
    };
    let old_key = fs::read(home.data().join("store.key")).expect("a key");
    let before = sealed();
    let said = store(&home, ["rekey"]).exits(code::DONE);
    said.says("2 credentials are sealed with a new key");
    let after = sealed();
    assert!(before.split(',').all(|secret| !after.contains(secret)));
    let keys: Vec<_> = files_below(&home.data())
        .into_iter()
        .filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("store.key"))
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_ne!(fs::read(&keys[0]).expect("a key"), old_key);
    prints_the_key(token(&home));
    let json = store(&home, ["rekey", "--json"]).exits(code::DONE).json();
    assert_eq!((&json["source"], &json["records"]), (&"key_file".into(), &2.into()));
    prints_the_key(token(&home));
}

/// `AUTHENTICATE_PASSPHRASE_FILE` has the present one.
#[test]
fn rekey_refuses_the_current_passphrase() {
    let (home, file) = with_passphrase();
    let made = || store(&home, ["status", "--json"]).exits(code::DONE).json()["key"]["created_at"].clone();
    let before = made();
    store(&home, ["rekey"])
        .env(FILE, &file)
        .exits(code::USAGE)
        .says("a new passphrase for")
        .says("--passphrase-file FILE");
    assert_eq!(made(), before);
    let mut session = Session::start(&home, ["store", "rekey"], &[(FILE, file.to_str().unwrap())]);
    session.shows("New passphrase for the store").masks();
    session.types("battery staple\r").shows("Repeat it").masks();
    session.types("battery staple\r");
    session.exits(code::DONE);
    token(&home).env(FILE, &file).exits(code::STORE).says("not the passphrase");
    prints_the_key(token(&home).env(FILE, home.write("another", "battery staple")));
}

/// The one that comes second does not undo what the first has done.
#[test]
fn second_of_two_concurrent_rekeys_is_refused() {
    let home = with_key();
    // It is run after the old key was got, and before the new one is made.
    let program = program_path();
    let winner = home.write(
        "winner",
        &format!("#!/bin/sh\n'{program}' store rekey --source key_file >&2 || exit 1\necho a passphrase\n"),
    );
    fs::set_permissions(&winner, fs::Permissions::from_mode(0o755)).expect("executable");
    home.write("config/config.yaml", &format!("store: {{passphrase_command: [{}]}}\n", winner.display()));
    let loser = store(&home, ["rekey", "--source", "command"]).exits(code::BUSY);
    loser.says("another process has just rekeyed").says("its key is in use");
    let status = store(&home, ["status", "--json"]).exits(code::DONE).json();
    assert_eq!(status["key"]["source"], "key_file");
    prints_the_key(token(&home));
    let keys =
        files_below(&home.data()).into_iter().filter(|file| file.to_string_lossy().contains("store.key"));
    assert_eq!(keys.count(), 1);
    fs::remove_file(home.config().join("config.yaml")).expect("removed");
    store(&home, ["rekey"]).exits(code::DONE);
}

#[test]
fn rekey_refuses_flags_that_do_not_fit() {
    let home = with_key();
    for (words, says) in [
        (&["--source", "keyrng"][..], "keyring"),
        (&["--key-file", "relative"], "must be an absolute path"),
        (&["--source", "passphrase", "--key-file", "/k"], "--key-file needs --source key_file"),
        (&["--passphrase-stdin"], "give the new passphrase"),
        (&["--source", "passphrase", "--passphrase-stdin"], "the passphrase is empty"),
        (&["--source", "passphrase", "--passphrase-file", "/nonexistent"], "cannot read the passphrase"),
    ] {
        let outcome = home.authenticate(["store", "rekey"].iter().chain(words)).exits(code::USAGE);
        outcome.says(says);
    }
    store(&home, ["rekey", "--source", "passphrase"]).exits(code::USAGE).says("--passphrase-file FILE");
    store(&home, ["rekey", "--source", "command"]).exits(code::STORE).says("passphrase_command");
    let nowhere = home.path().join("nowhere/k");
    store(&home, ["rekey", "--key-file", nowhere.to_str().unwrap()])
        .exits(code::STORE)
        .says("does not exist");
    prints_the_key(token(&home));
    store(&Home::new(), ["rekey"]).exits(code::NO_CREDENTIAL).says("there is no store");
}

/// A credential that does not open would be lost.
#[test]
fn rekey_stops_at_an_unreadable_credential() {
    let home = with_key();
    home.stores("mistral", "another");
    let database = Connection::open(home.database()).expect("opened");
    database
        .execute("UPDATE credential SET secret = zeroblob(60) WHERE provider = 'mistral'", [])
        .expect("altered");
    database.close().expect("closed");
    store(&home, ["rekey"]).exits(code::STORE).says("mistral").says("does not open");
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::STORE).says("mistral");
    assert!(!home.path().join("b.age").exists());
    prints_the_key(token(&home));
    home.authenticate(["logout", "demo", "mistral"]).exits(code::DONE);
    store(&home, ["rekey"]).exits(code::DONE);
}

pub fn with_fixture() -> Home {
    let home = Home::new();
    fs::create_dir(home.data()).expect("made");
    fs::write(home.database(), FIXTURE).expect("written");
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o600)).expect("closed");
    home
}

#[test]
fn migrate_seals_credentials_of_an_earlier_version() {
    let home = with_fixture();
    let json = store(&home, ["migrate", "--json"]).exits(code::DONE).json();
    assert_eq!(
        (&json["from"], &json["to"], &json["records"], &json["erased"]),
        (&1.into(), &SCHEMA_VERSION.into(), &45.into(), &true.into())
    );
    no_file_holds(&home, "PLAINCANARY");
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints("sk-PLAINCANARY-openai");
    store(&home, ["migrate"]).exits(code::DONE).says("is up to date").says("no plain text is left");
}

#[test]
fn opening_the_store_migrates_it() {
    let home = with_fixture();
    let said = home.authenticate(["status"]).exits(code::DONE);
    assert!(said.stderr.contains("sealed with a key file"), "{said:?}");
    no_file_holds(&home, "PLAINCANARY");
    // With a passphrase it has to wait for that.
    let home = with_fixture();
    home.write("config/config.yaml", "store: {key_source: passphrase}\n");
    home.authenticate(["status"]).exits(code::DONE).prints("openai");
    let shown = store(&home, ["status"]).exits(code::DONE).stdout;
    assert!(shown.contains("the credentials are not sealed"), "{shown}");
    token(&home).exits(code::STORE).says("AUTHENTICATE_PASSPHRASE_FILE");
    let file = home.write("passphrase", PASSPHRASE);
    store(&home, ["migrate"]).env(FILE, &file).exits(code::DONE).says("no plain text is left");
    no_file_holds(&home, "PLAINCANARY");
    token(&home).env(FILE, &file).exits(code::DONE).prints("sk-PLAINCANARY-openai");
}

/// A reader keeps what was plain in the files.
#[test]
fn rekey_does_not_claim_that_plain_text_is_erased() {
    let home = with_key();
    let erased = || {
        let database = Connection::open(home.database()).expect("opened");
        database.query_row("SELECT erased FROM store_key", [], |row| row.get::<_, bool>(0)).expect("read")
    };
    let reader = Connection::open(home.database()).expect("opened");
    reader.execute("UPDATE store_key SET erased = 0", []).expect("as after an interrupted migration");
    reader.execute_batch("BEGIN; SELECT * FROM credential").expect("reads");
    store(&home, ["rekey"]).exits(code::DONE);
    assert!(!erased());
    reader.execute_batch("ROLLBACK").expect("ended");
    drop(reader);
    store(&home, ["rekey"]).exits(code::DONE);
    assert!(erased());
    prints_the_key(token(&home));
}

/// RFC 9106, section 4: what it takes to guess.
#[test]
fn passphrase_is_expensive_to_guess() {
    let home = with_key();
    home.write("config/config.yaml", "store: {passphrase_command: [echo, printed]}\n");
    let path = "/usr/local/bin:/usr/bin:/bin";
    let work = |place: &str| {
        let database = Connection::open(home.database()).expect("opened");
        let sql = "SELECT parameters FROM store_key";
        let parameters: String = database.query_row(sql, [], |row| row.get(0)).expect("read");
        let parameters = test_support::json(&parameters);
        let derivation = parameters.pointer(place).expect("recorded");
        let salt = derivation["salt"].as_str().expect("a salt").to_owned();
        assert!(salt.len() >= 22, "16 bytes: {salt}");
        let number = |name: &str| derivation["work"][name].as_u64().expect("a number");
        for (name, least) in [("passes", 3), ("memory_kib", 65_536), ("lanes", 4)] {
            assert!(number(name) >= least, "{name}: {parameters}");
        }
        salt
    };
    store(&home, ["rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input(PASSPHRASE)
        .exits(code::DONE);
    let first = work("");
    let file = home.write("passphrase", PASSPHRASE);
    store(&home, ["rekey", "--source", "command"]).env("PATH", path).env(FILE, &file).exits(code::DONE);
    assert_ne!(work("/derivation"), first);
}
