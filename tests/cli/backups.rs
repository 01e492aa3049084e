//! `authenticate store`: backup, restore.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use authenticate::credential::{Credential, Metadata, OAuth};
use rustix::fs::{CWD, Mode, mkfifoat};
use test_support::{
    CANARY, Home, KEY, code, files_below,
    one_key::{PASSPHRASE, prints_the_key, store, token, with_key},
    pty::Session,
};

use crate::store_verbs::no_file_holds;

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
fn backup_with_a_passphrase_restores_all_credentials() {
    let home = Home::new();
    many_kinds(&home);
    let said = store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    said.says("3 credentials are backed up to b.age").does_not_say(PASSPHRASE);
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
fn restore_keeps_a_sealed_copy_of_the_replaced_credentials() {
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
    assert!(said.contains(&format!("the credentials before the restore are in {before}")), "{said}");
    assert_eq!(fs::metadata(&before).expect("there").permissions().mode() & 0o7777, 0o600);
    no_file_holds(&home, CANARY);
    store(&home, ["restore", &before, "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    assert_eq!(home.stored(), newer);
}

/// Sealing the copy takes a while, in which somebody stores one thing after the other.
#[cfg(target_os = "linux")]
#[test]
fn credential_stored_during_a_restore_is_in_the_kept_copy() {
    use rustix::fs::inotify;

    let home = with_key();
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    let events = inotify::init(inotify::CreateFlags::NONBLOCK).expect("watching");
    inotify::add_watch(&events, home.data(), inotify::WatchFlags::MOVED_TO).expect("watched");
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&events, &mut buffer);
    let mut is_copied = || {
        let event = events.next();
        event.is_ok_and(|event| event.file_name().is_some_and(|name| name.to_bytes().starts_with(b"before-")))
    };
    let restore = store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE);
    let last = std::thread::scope(|scope| {
        let restore = scope.spawn(|| restore.exits(code::DONE));
        let mut count = 0;
        while !is_copied() {
            count += 1;
            home.put("mistral", &Credential::api_key(format!("another-{count}")), &Metadata::default());
        }
        restore.join().expect("restored");
        format!("another-{count}")
    });
    assert_eq!(home.stored().len(), 1);
    let is_copy = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "age");
    let copies: Vec<_> = files_below(&home.data()).into_iter().filter(is_copy).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    let copy = copies[0].to_str().expect("text");
    store(&home, ["restore", copy, "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    let keys = home.keys();
    assert!(keys.contains(&("default/mistral/default".to_owned(), last)), "{keys:?}");
}

/// With an identity, for that takes no time.
#[test]
fn newest_three_copies_before_restores_are_kept() {
    let home = with_key();
    let (secret, recipient) = identity();
    home.write("identity", &secret);
    store(&home, ["backup", "b.age", "--recipient", &recipient]).exits(code::DONE);
    let restore = |file: &str| {
        let json =
            store(&home, ["restore", file, "--identity", "identity", "--json"]).exits(code::DONE).json();
        json["before"].as_str().expect("a copy").to_owned()
    };
    let copies = || {
        let files =
            files_below(&home.data()).into_iter().filter(|file| file.extension().is_some_and(|e| e == "age"));
        files.map(|file| file.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let others = home.write("data/before-restore-mine.age", "mine").to_str().unwrap().to_owned();
    let made: Vec<_> = (0..5).map(|_| restore("b.age")).collect();
    assert_eq!(copies(), [&made[2..], std::slice::from_ref(&others)].concat());
    // Restoring one does not take it away.
    let newest = restore(&made[2]);
    assert_eq!(copies(), [&made[2..], &[newest, others]].concat());
    prints_the_key(token(&home));
}

/// Whoever makes a backup says how much memory its passphrase takes: twice as much with each step.
#[test]
fn backup_that_asks_for_too_much_memory_is_refused() {
    let home = with_key();
    for work in [21, 22, 63] {
        let header = format!(
            "age-encryption.org/v1\n-> scrypt {} {work}\n{}\n--- {}\n",
            "A".repeat(22),
            "A".repeat(43),
            "A".repeat(43)
        );
        home.write("hostile.age", &(header + &"x".repeat(64)));
        store(&home, ["restore", "hostile.age", "--passphrase-stdin"])
            .input(PASSPHRASE)
            .within_megabytes(1024)
            .exits(code::USAGE)
            .says(&format!("its scrypt work factor is {work}, and at most 20 (1 GiB) is accepted"));
    }
    prints_the_key(token(&home));
}

/// Before a passphrase or an identity is asked for. To parse such a header takes minutes.
#[test]
fn backup_with_an_endless_header_is_refused_unread() {
    let home = Home::new();
    let mac = format!("--- {}\n", "A".repeat(43));
    let stanza = "-> a\n\n";
    for (lines, is_age) in [
        (stanza.repeat(50_000), false),
        (format!("-> {}\n\n", "a".repeat(400_000)), false),
        ("a".repeat(400_000), false),
        (stanza.repeat(512), false),
        (stanza.repeat(511), true),
    ] {
        home.write("hostile.age", &format!("age-encryption.org/v1\n{lines}{mac}{}", "x".repeat(64)));
        let restore = store(&home, ["restore", "hostile.age"]).exits(code::USAGE);
        restore.says(if is_age {
            "is encrypted for recipients"
        } else {
            "hostile.age is not a backup: its header is longer than any"
        });
    }
    // What is written can be read.
    home.stores("openai", KEY);
    let backup = |count: usize| {
        let recipients = (0..count).flat_map(|_| ["--recipient".to_owned(), identity().1]);
        home.authenticate(["store", "backup", "b.age"].map(str::to_owned).into_iter().chain(recipients))
    };
    backup(501).exits(code::USAGE).says("b.age cannot be sealed for more than 500 recipients");
    backup(500).exits(code::DONE);
    store(&home, ["restore", "b.age"]).exits(code::USAGE).says("is encrypted for recipients");
}

#[test]
fn backup_for_recipients_opens_with_any_of_their_identities() {
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
        (&["--passphrase-stdin"], "is encrypted for recipients"),
        (&[], "is encrypted for recipients"),
    ] {
        let words = ["store", "restore", "b.age"].iter().chain(words);
        home.authenticate(words).input("x").exits(code::USAGE).says(says);
    }
    home.write("empty", "nothing\n");
    store(&home, ["restore", "b.age", "--identity", "empty"])
        .exits(code::USAGE)
        .says("holds no age identity");
    store(&home, ["backup", "p.age", "--passphrase-stdin"]).input("x").exits(code::DONE);
    store(&home, ["restore", "p.age", "--identity", "identity"])
        .exits(code::USAGE)
        .says("is encrypted with a passphrase")
        .says("leave --identity out");
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
fn backup_does_not_replace_a_file_without_force() {
    let home = with_key();
    home.write("b.age", "something else");
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::USAGE).says("use --force");
    assert_eq!(fs::read_to_string(home.path().join("b.age")).expect("there"), "something else");
    store(&home, ["backup", "b.age", "--force", "--passphrase-stdin"]).input("x").exits(code::DONE);
    assert!(fs::read(home.path().join("b.age")).expect("there").starts_with(b"age-"));
    for (file, says) in [("data", "is a directory"), ("missing/b.age", "missing/b.age cannot be written: ")] {
        store(&home, ["backup", file, "--passphrase-stdin"]).input("x").exits(code::USAGE).says(says);
    }
    store(&home, ["backup", "c.age"]).exits(code::USAGE).says("use --passphrase-stdin or --passphrase-file");
    // Before anybody has typed anything.
    store(&home, ["backup", "b.age"]).exits(code::USAGE).says("use --force");
    let left = files_below(home.path());
    assert!(left.iter().all(|file| !file.to_string_lossy().contains(".authenticate-backup")), "{left:?}");
}

#[test]
fn backup_passphrase_is_asked_for_twice() {
    let home = with_key();
    let mut session = Session::start(&home, ["store", "backup", "b.age"], &[]);
    session.shows("New passphrase for the backup").masks();
    session.types(&format!("{PASSPHRASE}\r")).shows("Repeat it").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    assert!(!session.exits(code::DONE).contains(PASSPHRASE));
    let mut session = Session::start(&home, ["store", "restore", "b.age"], &[]);
    session.shows("Passphrase of the backup").masks();
    session.types(&format!("{PASSPHRASE}\r"));
    session.exits(code::DONE);
    prints_the_key(token(&home));
}

#[test]
fn damaged_backup_replaces_nothing() {
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
        ("start", &good[..30], "is not a backup"),
        ("empty", b"", "is not a backup"),
        ("text", b"this is not a backup", "is not a backup"),
    ] {
        fs::write(home.path().join("bad.age"), bytes).expect("written");
        let outcome =
            store(&home, ["restore", "bad.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::USAGE);
        outcome.says(says).does_not_say(CANARY);
        assert_eq!(home.stored(), before, "{name}");
    }
    store(&home, ["restore", "b.age", "--passphrase-stdin"])
        .input("wrong")
        .exits(code::USAGE)
        .says("not its passphrase");
    store(&home, ["restore", "missing.age", "--passphrase-stdin"])
        .input("x")
        .exits(code::USAGE)
        .says("missing.age cannot be read: No such file");
    mkfifoat(CWD, home.path().join("fifo"), Mode::from_raw_mode(0o600)).expect("a FIFO");
    store(&home, ["restore", "fifo", "--passphrase-stdin"])
        .input(PASSPHRASE)
        .exits(code::USAGE)
        .says("fifo cannot be read: it is not a regular file");
    store(&home, ["restore", "data", "--passphrase-stdin"])
        .input("x")
        .exits(code::USAGE)
        .says("data cannot be read: it is not a regular file");
    let copies =
        files_below(&home.data()).into_iter().filter(|file| file.extension().is_some_and(|e| e == "age"));
    assert_eq!(copies.count(), 0);
    assert_eq!(home.stored(), before);
}

/// It opens, and holds something else.
#[test]
fn age_file_with_other_content_replaces_nothing() {
    let home = with_key();
    let before = home.stored();
    let record =
        |provider: &str, kind: &str| with(provider, kind, "null", r#"{"type":"api_key","key":"CANARY"}"#);
    let key =
        |key: &str| with("openai", "api_key", "null", &format!(r#"{{"type":"api_key","key":"{key}"}}"#));
    let account = |name: &str| with("openai", "api_key", name, r#"{"type":"api_key","key":"CANARY"}"#);
    let fields = |name: &str| {
        with("slack", "fields", "null", &format!(r#"{{"type":"fields","fields":{{"{name}":"CANARY"}}}}"#))
    };
    let long = "CANARY".repeat(200_000);
    fn with(provider: &str, kind: &str, account: &str, credential: &str) -> String {
        format!(
            r#"{{"provider":"{provider}","set":"default","profile":"default","kind":"{kind}","account":{account},"host":null,
            "scopes":[],"expires_at":null,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z",
            "credential":{credential}}}"#
        )
    }
    let whole = |schema: u32, kind: &str, records: &str| {
        format!(
            r#"{{"schema":{schema},"kind":"{kind}","created_at":"2026-01-01T00:00:00Z","credentials":[{records}]}}"#
        )
    };
    let ours = "authenticate backup";
    let twice = format!("{0},{0}", record("openai", "api_key"));
    for (content, says) in [
        ("not json CANARY".to_owned(), "is not a backup of authenticate (line 1"),
        (whole(1, "something", ""), "is not a backup of authenticate"),
        (whole(2, ours, ""), "newer version of authenticate (schema 2)"),
        (whole(1, ours, &record("../openai", "api_key")), "is not a backup of authenticate"),
        (whole(1, ours, &record("openai", "oauth")), "holds something for openai that is not a credential"),
        (whole(1, ours, &twice), "holds openai twice"),
        (
            whole(1, ours, &key(r"CANARY\r\nHost: evil")),
            "openai that is not a credential: it has control characters",
        ),
        (whole(1, ours, &key(&long)), "a part of it is longer than any"),
        (whole(1, ours, &account(r#""\u001b[2J""#)), "it has control characters"),
        (whole(1, ours, &account(&format!("\"{long}\""))), "a part of it is longer than any"),
        (whole(1, ours, &fields(r"\n")), "it has control characters"),
        (whole(1, ours, &fields(&long)), "a part of it is longer than any"),
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
            store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::USAGE);
        outcome.says(says).does_not_say(CANARY);
        assert_eq!(home.stored(), before);
    }
}

#[test]
fn backup_cannot_replace_files_of_the_store() {
    let home = Home::new();
    home.stores("openai", KEY);
    for name in ["credentials.db", "store.key", "notes.txt"] {
        let file = home.data().join(name);
        let before = std::fs::read(&file).ok();
        home.authenticate(["store", "backup", file.to_str().unwrap(), "--force", "--passphrase-stdin"])
            .input("battery staple")
            .exits(code::USAGE)
            .says("in the store's own directory");
        assert_eq!(std::fs::read(&file).ok(), before, "{name}");
    }
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE);
    let inside = home.data().join("mine.age");
    home.authenticate(["store", "backup", inside.to_str().unwrap(), "--passphrase-stdin"])
        .input("battery staple")
        .exits(code::DONE);

    let home = Home::new();
    let elsewhere = home.path().join("key.age");
    home.write("config/config.yaml", &format!("store: {{key_source: key_file, key_file: {elsewhere:?}}}\n"));
    home.stores("openai", KEY);
    home.authenticate(["store", "backup", elsewhere.to_str().unwrap(), "--force", "--passphrase-stdin"])
        .input("battery staple")
        .exits(code::USAGE)
        .says("holds the store's key");
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE);
}
