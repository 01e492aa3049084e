//! A home in which nothing can be written: what is stored can be read all the same, and nothing is half done.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use rusqlite::Connection;
use test_support::{CANARY, Home, KEY, Run, Server, code};

const NEW: &str = "sk-proj-newer-than-the-database-file-0123456789";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// A data directory as commands leave it, by the last of them.
fn homes() -> Vec<(&'static str, Home, &'static str)> {
    let written = Home::new();
    written.stores("openai", KEY);
    let read = Home::new();
    read.stores("openai", KEY);
    read.authenticate(["token", "demo", "openai"]).exits(code::DONE);
    assert!(read.data().join("credentials.db-shm").exists());
    vec![("written", written, KEY), ("read", read, KEY), ("copied while in use", in_use(), NEW)]
}

/// A copy, without the index in shared memory, of a store whose newest credential is in the log alone.
fn in_use() -> Home {
    let (original, copy) = (Home::new(), Home::new());
    original.stores("openai", KEY);
    let reader = Connection::open(original.database()).expect("opened");
    reader.execute_batch("BEGIN; SELECT * FROM credential").expect("reading");
    original.stores("openai", NEW);
    fs::create_dir_all(copy.data()).expect("made");
    for name in ["credentials.db", "credentials.db-wal", "store.key"] {
        fs::copy(original.data().join(name), copy.data().join(name)).expect("copied");
        set_mode(&copy.data().join(name), 0o600);
    }
    copy
}

/// The sizes and checksums of the files.
fn bytes(home: &Home) -> [(usize, u64); 2] {
    ["credentials.db", "credentials.db-wal"].map(|name| {
        let bytes = fs::read(home.data().join(name)).unwrap_or_default();
        let mut hash = DefaultHasher::new();
        bytes.hash(&mut hash);
        (bytes.len(), hash.finish())
    })
}

#[test]
fn stored_secret_is_read_whatever_ran_last() {
    for (last, home, key) in homes() {
        set_mode(&home.data(), 0o500);
        let run = |arguments: &[&str]| home.authenticate(arguments).without_privileges();
        let token = run(&["token", "demo", "openai"]).exits(code::DONE);
        assert_eq!((token.stdout, token.stderr.as_str()), (format!("{key}\n"), ""), "{last}");
        run(&["status", "openai"]).exits(code::DONE).prints("stored");
        run(&["log"]).exits(code::DONE).prints("store");
        set_mode(&home.data(), 0o700);
    }
    for (last, home, key) in homes() {
        let full = |arguments: &[&str]| home.authenticate(arguments).without_room();
        let token = full(&["token", "demo", "openai"]).exits(code::DONE);
        assert_eq!((token.stdout, token.stderr.as_str()), (format!("{key}\n"), ""), "{last}");
        full(&["status", "openai"]).exits(code::DONE).prints("stored");
    }
}

/// A login asks its vendor for nothing, and the files stay as they are.
#[test]
fn change_is_refused_with_the_reason() {
    for (last, home, key) in homes() {
        let server = Server::answering(Some((200, "{}")));
        let acme = format!(
            r#"{{"name": "acme", "modes": ["device"], "device": {{"client_id": "c",
                "device_authorization_url": "{0}", "token_url": "{0}"}}}}"#,
            server.url
        );
        home.write("config/providers/acme.yaml", &acme);
        let before = bytes(&home);
        let refused = |run: &dyn Fn(&[&str]) -> Run, why: &str, why_login: &str| {
            let store = run(&["demo", "mistral", "--mode", "api_key", "--api-key-stdin"]).input(CANARY);
            store.exits(code::STORE).says(why);
            run(&["logout", "demo", "openai"]).exits(code::STORE).says(why_login);
            run(&["demo", "acme"]).exits(code::STORE).says(why_login);
        };
        if last == "written" {
            let data = home.data().display().to_string();
            set_mode(&home.data(), 0o500);
            refused(&|arguments| home.authenticate(arguments).without_privileges(), &data, &data);
            set_mode(&home.data(), 0o700);
        }
        refused(&|arguments| home.authenticate(arguments).without_room(), "(ulimit -f)", "");
        assert_eq!(bytes(&home), before, "{last}");
        assert!(server.bodies().is_empty());
        assert_eq!(home.keys(), [("default/openai/default".to_owned(), key.to_owned())]);
    }
}

/// An earlier version's store is read, too; it is not said to be migrated.
#[test]
fn store_of_an_earlier_version_is_read() {
    let home = Home::new();
    fs::create_dir(home.data()).expect("made");
    for (from, to) in [("schema-6.db", "credentials.db"), ("store.key", "store.key")] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(from);
        fs::copy(fixture, home.data().join(to)).expect("copied");
        set_mode(&home.data().join(to), 0o600);
    }
    set_mode(&home.data(), 0o500);
    let run = |arguments: &[&str]| home.authenticate(arguments).without_privileges();
    run(&["token", "demo", "openai"]).exits(code::DONE).prints("CANARY");
    run(&["store", "migrate"]).exits(code::STORE).says("no permission to write to");
    set_mode(&home.data(), 0o700);
}

#[test]
fn doctor_says_why_and_what_to_do() {
    let home = Home::new();
    home.stores("openai", KEY);
    set_mode(&home.data(), 0o500);
    let data = home.data().display().to_string();
    let said = home.authenticate(["doctor"]).without_privileges().exits(code::STORE);
    said.prints(&format!("nothing can be stored in {data}: no permission to write to {data} (mode 0500)"));
    said.prints(&format!("fix: run `chmod 700 {data}`"));
    set_mode(&home.data(), 0o700);
    let said = home.authenticate(["doctor"]).exits(code::ENGINE);
    said.does_not_say("nothing can be stored");
}

#[test]
fn files_are_open_to_their_owner_whatever_the_umask() {
    let home = Home::new();
    let store = ["demo", "openai", "--mode", "api_key", "--api-key-stdin"];
    home.authenticate(store).with_umask("777").without_privileges().input(KEY).exits(code::DONE);
    let token = home.authenticate(["token", "demo", "openai"]).with_umask("777").without_privileges();
    token.exits(code::DONE).prints(KEY);
    for (path, mode) in [(home.data(), 0o700), (home.database(), 0o600)] {
        assert_eq!(fs::metadata(path).expect("there").permissions().mode() & 0o777, mode);
    }
}
