//! `authenticate store`: status, lock, unlock, rekey, backup, restore, migrate.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use authenticate::{
    credential::{Credential, Metadata, OAuth},
    store::SCHEMA_VERSION,
};
use rusqlite::Connection;

use crate::{
    harness::{CANARY, Home, KEY, Outcome, Run, code, files_below},
    pty::Session,
    ring::Ring,
};

const PASSPHRASE: &str = "correct horse";
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
const FILE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
const FIXTURE: &[u8] = include_bytes!("../fixtures/schema-1.db");

fn store<const N: usize>(home: &Home, words: [&str; N]) -> Run {
    home.authenticate(["store"].into_iter().chain(words))
}

fn token(home: &Home) -> Run {
    home.authenticate(["token", "demo", "openai"])
}

#[track_caller]
fn prints_the_key(run: Run) -> Outcome {
    let outcome = run.exits(code::DONE);
    assert_eq!(outcome.stdout, format!("{KEY}\n"));
    outcome
}

/// A home with a key in a store that is sealed with a key file.
fn with_key() -> Home {
    let home = Home::new();
    home.stores("openai", KEY);
    home
}

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
fn no_file_holds(home: &Home, text: &str) {
    for file in files_below(home.path()) {
        let content = fs::read(&file).expect("read");
        let holds = content.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds, "{text}: {}", file.display());
    }
}

#[test]
fn status_says_what_there_is_and_needs_no_key() {
    let home = Home::new();
    store(&home, ["status"]).exits(code::DONE).says("there is no store yet");
    let none = store(&home, ["status", "--json"]).exits(code::DONE).json();
    assert_eq!((&none["file"], &none["records"]), (&serde_json::Value::Null, &0.into()));
    assert!(!home.data().exists());
    let (home, _) = with_passphrase();
    let shown = store(&home, ["status"]).exits(code::DONE).stdout;
    let schema = format!("schema   {SCHEMA_VERSION}");
    for line in [&schema, "records  1", "source   passphrase", "locked   yes: authenticate store unlock"] {
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
fn unlocked_it_asks_nothing_until_it_is_locked() {
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
    store(&home, ["lock"]).exits(code::DONE).says("the store was locked already");
    token(&home).exits(code::STORE);
    no_file_holds(&home, CANARY);
}

#[test]
fn unlocked_it_is_only_for_so_long() {
    let (home, file) = with_passphrase();
    let start = Instant::now();
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
fn unlocking_at_the_terminal() {
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
fn a_key_file_needs_no_unlocking() {
    let home = with_key();
    store(&home, ["unlock"]).exits(code::DONE).says("needs no unlocking");
    store(&home, ["lock"]).exits(code::DONE).says("no key was kept");
}

#[test]
fn a_rekey_seals_everything_anew_and_leaves_nothing_of_the_old_key() {
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

#[test]
fn a_rekey_moves_the_key_from_source_to_source() {
    let home = with_key();
    let mut ring = Ring::unlocked();
    let elsewhere = home.path().join("k");
    let path = "/usr/local/bin:/usr/bin:/bin";
    home.write("config/config.yaml", "store: {passphrase_command: [echo, printed]}\n");
    let rekey = |words: &[&str]| {
        let words = ["store", "rekey"].iter().chain(words);
        home.authenticate(words).env(BUS, ring.address()).env("PATH", path)
    };
    rekey(&["--source", "keyring"]).exits(code::DONE).says("the key ring");
    assert!(!home.data().join("store.key").exists());
    assert_eq!(ring.entries(), 1);
    prints_the_key(token(&home).env(BUS, ring.address()));
    rekey(&[]).exits(code::DONE);
    assert_eq!(ring.entries(), 1, "the old entry is gone");
    rekey(&["--source", "command"]).exits(code::DONE);
    assert_eq!(ring.entries(), 0);
    prints_the_key(token(&home).env("PATH", path));
    rekey(&["--source", "systemd-creds"]).exits(code::DONE);
    prints_the_key(token(&home).env("PATH", path));
    rekey(&["--key-file", elsewhere.to_str().unwrap()]).exits(code::DONE);
    prints_the_key(token(&home));
    rekey(&[]).exits(code::DONE);
    assert!(!elsewhere.exists(), "replaced by one beside it");
    prints_the_key(token(&home));
    rekey(&["--source", "passphrase", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    let passphrase = home.write("passphrase", PASSPHRASE);
    // The present one from the environment, the new one from the flag.
    rekey(&["--passphrase-stdin"]).env(FILE, &passphrase).input("battery staple").exits(code::DONE);
    token(&home).env(FILE, &passphrase).exits(code::STORE).says("not the passphrase");
    let passphrase = home.write("passphrase", "battery staple");
    prints_the_key(token(&home).env(FILE, &passphrase));
    // One that does not work changes nothing.
    ring.locks();
    let rekey = |source: &str| store(&home, ["rekey", "--source", source]).env(FILE, &passphrase);
    rekey("keyring").env(BUS, ring.address()).exits(code::STORE).says("locked");
    rekey("keyring").exits(code::STORE).says("there is no key ring");
    rekey("systemd-creds").env("PATH", "/nonexistent").exits(code::STORE).says("cannot run systemd-creds");
    prints_the_key(token(&home).env(FILE, &passphrase));
    rekey("key_file").exits(code::DONE);
    prints_the_key(token(&home));
}

#[test]
fn a_rekey_refuses_what_makes_no_sense() {
    let home = with_key();
    for (words, says) in [
        (&["--source", "keyrng"][..], "keyring"),
        (&["--key-file", "relative"], "must be an absolute path"),
        (&["--source", "passphrase", "--key-file", "/k"], "--key-file is for --source key_file"),
        (&["--passphrase-stdin"], "are for the new one"),
        (&["--source", "passphrase", "--passphrase-stdin"], "the passphrase is empty"),
        (&["--source", "passphrase", "--passphrase-file", "/nonexistent"], "cannot read the passphrase"),
    ] {
        let outcome = home.authenticate(["store", "rekey"].iter().chain(words)).exits(code::USAGE);
        outcome.says(says);
    }
    store(&home, ["rekey", "--source", "passphrase"]).exits(code::STORE);
    store(&home, ["rekey", "--source", "command"]).exits(code::STORE).says("store.passphrase_command");
    store(&home, ["rekey", "--key-file", "/nonexistent/k"]).exits(code::STORE).says("does not exist");
    prints_the_key(token(&home));
    store(&Home::new(), ["rekey"]).exits(code::NO_CREDENTIAL).says("there is no store");
}

/// One that does not open would be lost.
#[test]
fn a_rekey_stops_at_what_does_not_open() {
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

fn many_kinds(home: &Home) {
    home.stores("openai", KEY);
    let tokens = OAuth {
        access_token: "CANARY-access".into(),
        refresh_token: Some("CANARY-refresh".into()),
        id_token: None,
        extra: [("account_id".to_owned(), "CANARY-extra".into())].into(),
    };
    let metadata = Metadata {
        account: Some("dev@example.org".into()),
        host: Some("git.example.org".into()),
        scopes: vec!["repo".into()],
        expires_at: jiff::Timestamp::from_millisecond(1_900_000_000_123).ok(),
        ..Metadata::default()
    };
    home.put("codex", &Credential::OAuth(tokens), &metadata);
    let basic = Credential::Basic { username: "me".into(), password: "CANARY ü\n".into() };
    home.put("email", &basic, &Metadata::default());
}

fn status(home: &Home) -> serde_json::Value {
    home.authenticate(["status", "--json"]).exits(code::DONE).json()["credentials"].clone()
}

#[test]
fn a_backup_with_a_passphrase_comes_back_as_it_was() {
    let home = Home::new();
    many_kinds(&home);
    let said = store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    said.says("3 credentials are in b.age").does_not_say(PASSPHRASE);
    let file = home.path().join("b.age");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    assert!(fs::read(&file).expect("read").starts_with(b"age-encryption.org/v1\n-> scrypt "));
    no_file_holds(&home, CANARY);
    let other = Home::new();
    fs::copy(&file, other.path().join("b.age")).expect("copied");
    let restored = store(&other, ["restore", "b.age", "--json", "--passphrase-stdin"]).input(PASSPHRASE);
    let restored = restored.exits(code::DONE).json();
    assert_eq!((&restored["records"], &restored["before"]), (&3.into(), &serde_json::Value::Null));
    assert_eq!(other.stored(), home.stored());
    assert_eq!(status(&other), status(&home));
    prints_the_key(token(&other));
    no_file_holds(&other, CANARY);
}

#[test]
fn what_was_there_before_a_restore_is_kept_sealed() {
    let home = with_key();
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    home.stores("openai", "sk-CANARY-newer-0123456789");
    home.stores("mistral", "CANARY-newer");
    let newer = home.stored();
    let said =
        store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE).stderr;
    prints_the_key(token(&home));
    assert_eq!(home.stored().len(), 1);
    let before =
        files_below(&home.data()).into_iter().find(|file| file.extension().is_some_and(|e| e == "age"));
    let before = before.expect("kept").to_str().unwrap().to_owned();
    assert!(said.contains(&format!("what was there before is in {before}")), "{said}");
    assert_eq!(fs::metadata(&before).expect("there").permissions().mode() & 0o7777, 0o600);
    no_file_holds(&home, CANARY);
    store(&home, ["restore", &before, "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    assert_eq!(home.stored(), newer);
}

#[test]
fn a_backup_for_recipients_opens_with_any_of_their_identities() {
    let home = Home::new();
    many_kinds(&home);
    let [first, second, third] = [0; 3].map(|_| identity());
    let words = ["backup", "b.age", "--recipient", &first.1, "--recipient", &second.1];
    store(&home, words).exits(code::DONE);
    let before = home.stored();
    for (secret, _) in [&first, &second] {
        let file = home.write("identity", &format!("# mine\n{secret}\n"));
        home.stores("openai", "sk-CANARY-newer-0123456789");
        store(&home, ["restore", "b.age", "--identity", file.to_str().unwrap()]).exits(code::DONE);
        assert_eq!(home.stored(), before);
    }
    home.write("identity", &third.0);
    for (words, says) in [
        (&["--identity", "identity"][..], "is sealed for other recipients"),
        (&["--identity", "b.age"], "cannot read the identity file"),
        (&["--identity", "missing"], "cannot read the identity file missing"),
        (&["--passphrase-stdin"], "is sealed for recipients"),
        (&[], "is sealed for recipients"),
    ] {
        let outcome = home.authenticate(["store", "restore", "b.age"].iter().chain(words)).input("x").ends();
        assert!(matches!(outcome.code, Some(2 | 6)), "{outcome:?}");
        outcome.says(says);
    }
    home.write("empty", "nothing\n");
    store(&home, ["restore", "b.age", "--identity", "empty"])
        .exits(code::USAGE)
        .says("holds no age identity");
    assert_eq!(home.stored(), before);
    store(&home, ["backup", "c.age", "--recipient", "age1nobody"]).exits(code::USAGE).says("age1nobody");
    store(&home, ["backup", "c.age", "--recipient", &first.1, "--passphrase-stdin"])
        .exits(code::USAGE)
        .says("not both");
    assert!(!home.path().join("c.age").exists());
}

/// An identity and its recipient.
fn identity() -> (String, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}

#[test]
fn a_backup_is_not_written_over_another_file_by_mistake() {
    let home = with_key();
    home.write("b.age", "something else");
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::USAGE).says("use --force");
    assert_eq!(fs::read_to_string(home.path().join("b.age")).expect("there"), "something else");
    store(&home, ["backup", "b.age", "--force", "--passphrase-stdin"]).input("x").exits(code::DONE);
    assert!(fs::read(home.path().join("b.age")).expect("there").starts_with(b"age-"));
    for (file, says) in [("data", "is a directory"), ("missing/b.age", "cannot write missing/b.age")] {
        store(&home, ["backup", file, "--passphrase-stdin"]).input("x").ends().says(says);
    }
    store(&home, ["backup", "c.age"]).exits(code::USAGE).says("use --passphrase-stdin or --passphrase-file");
    // Before anybody has typed anything.
    store(&home, ["backup", "b.age"]).exits(code::USAGE).says("use --force");
    let left = files_below(home.path());
    assert!(left.iter().all(|file| !file.to_string_lossy().contains(".authenticate-backup")), "{left:?}");
}

#[test]
fn a_backup_at_the_terminal_is_asked_for_twice() {
    let home = with_key();
    let mut session = Session::start(&home, ["store", "backup", "b.age"], &[]);
    session.shows("New passphrase for the backup").masks();
    session.types(&format!("{PASSPHRASE}\r")).shows("The same again").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    assert!(!session.exits(code::DONE).contains(PASSPHRASE));
    let mut session = Session::start(&home, ["store", "restore", "b.age"], &[]);
    session.shows("Passphrase of the backup").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    session.exits(code::DONE);
    prints_the_key(token(&home));
}

#[test]
fn a_backup_that_is_damaged_or_none_replaces_nothing() {
    let home = with_key();
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    let good = fs::read(home.path().join("b.age")).expect("read");
    home.stores("openai", "sk-CANARY-newer-0123456789");
    let before = home.stored();
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut header = good.clone();
    header[40] ^= 1;
    let cut = good[..good.len() - 10].to_vec();
    for (name, bytes, says) in [
        ("altered", &altered[..], "is damaged"),
        ("header", &header, ""),
        ("cut", &cut, "is damaged"),
        ("start", &good[..30], "is no backup"),
        ("empty", b"", "is no backup"),
        ("text", b"this is not a backup", "is no backup"),
    ] {
        fs::write(home.path().join("bad.age"), bytes).expect("written");
        let outcome =
            store(&home, ["restore", "bad.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::STORE);
        outcome.says(says).does_not_say(CANARY);
        assert_eq!(home.stored(), before, "{name}");
    }
    store(&home, ["restore", "b.age", "--passphrase-stdin"])
        .input("wrong")
        .exits(code::STORE)
        .says("not its passphrase");
    store(&home, ["restore", "missing.age", "--passphrase-stdin"])
        .input("x")
        .exits(code::STORE)
        .says("cannot read");
    store(&home, ["restore", "data", "--passphrase-stdin"])
        .input("x")
        .exits(code::STORE)
        .says("is no backup");
    let copies =
        files_below(&home.data()).into_iter().filter(|file| file.extension().is_some_and(|e| e == "age"));
    assert_eq!(copies.count(), 0);
    assert_eq!(home.stored(), before);
}

/// It opens, and holds something else.
#[test]
fn a_sealed_file_with_other_content_replaces_nothing() {
    let home = with_key();
    let before = home.stored();
    let record = |provider: &str, kind: &str| {
        format!(
            r#"{{"provider":"{provider}","set":"default","profile":"default","kind":"{kind}","account":null,"host":null,
            "scopes":[],"expires_at":null,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z",
            "credential":{{"type":"api_key","key":"CANARY"}}}}"#
        )
    };
    let whole = |schema: u32, kind: &str, records: &str| {
        format!(
            r#"{{"schema":{schema},"kind":"{kind}","created_at":"2026-01-01T00:00:00Z","credentials":[{records}]}}"#
        )
    };
    let ours = "authenticate backup";
    let twice = format!("{0},{0}", record("openai", "api_key"));
    for (content, says) in [
        ("not json CANARY".to_owned(), "is no backup of authenticate (line 1"),
        (whole(1, "something", ""), "is no backup of authenticate"),
        (whole(2, ours, ""), "newer version of authenticate (schema 2)"),
        (whole(1, ours, &record("../openai", "api_key")), "is no backup of authenticate"),
        (whole(1, ours, &record("openai", "oauth")), "holds something for openai that is no credential"),
        (whole(1, ours, &twice), "holds openai twice"),
    ] {
        let mut sealed = Vec::new();
        let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.to_owned().into());
        recipient.set_work_factor(2);
        let recipients = [&recipient as &dyn age::Recipient];
        let encryptor = age::Encryptor::with_recipients(recipients.into_iter()).expect("sealed");
        let mut to = encryptor.wrap_output(&mut sealed).expect("sealed");
        std::io::Write::write_all(&mut to, content.as_bytes()).expect("written");
        to.finish().expect("written");
        fs::write(home.path().join("b.age"), sealed).expect("written");
        let outcome =
            store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::STORE);
        outcome.says(says).does_not_say(CANARY);
        assert_eq!(home.stored(), before);
    }
}

fn with_fixture() -> Home {
    let home = Home::new();
    fs::create_dir(home.data()).expect("made");
    fs::write(home.database(), FIXTURE).expect("written");
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o600)).expect("closed");
    home
}

#[test]
fn migrate_seals_what_an_earlier_version_stored() {
    let home = with_fixture();
    let json = store(&home, ["migrate", "--json"]).exits(code::DONE).json();
    assert_eq!(
        (&json["from"], &json["to"], &json["records"], &json["erased"]),
        (&1.into(), &SCHEMA_VERSION.into(), &45.into(), &true.into())
    );
    no_file_holds(&home, "PLAINCANARY");
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints("sk-PLAINCANARY-openai");
    store(&home, ["migrate"]).exits(code::DONE).says("is up to date").says("nothing plain is left");
}

#[test]
fn any_other_verb_does_so_too() {
    let home = with_fixture();
    let said = home.authenticate(["status"]).exits(code::DONE);
    assert!(said.stderr.contains("sealed with a key file"), "{said:?}");
    no_file_holds(&home, "PLAINCANARY");
    // With a passphrase it has to wait for that.
    let home = with_fixture();
    home.write("config/config.yaml", "store: {key_source: passphrase}\n");
    home.authenticate(["status"]).exits(code::DONE).prints("openai");
    let shown = store(&home, ["status"]).exits(code::DONE).stdout;
    assert!(shown.contains("what is stored is not sealed"), "{shown}");
    token(&home).exits(code::STORE).says("AUTHENTICATE_PASSPHRASE_FILE");
    let file = home.write("passphrase", PASSPHRASE);
    store(&home, ["migrate"]).env(FILE, &file).exits(code::DONE).says("nothing plain is left");
    no_file_holds(&home, "PLAINCANARY");
    token(&home).env(FILE, &file).exits(code::DONE).prints("sk-PLAINCANARY-openai");
}
