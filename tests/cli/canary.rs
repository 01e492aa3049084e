//! A recognisable secret in every use of the program: it appears only where it belongs.

use std::{fs, io::Write as _, process::Child};

use authenticate::credential::{Credential, Metadata, OAuth};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use test_support::{CANARY, Home, KEY, code, files_below, pty::Session};

fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// No file below the home holds the secret: the database and what SQLite keeps beside it have it sealed.
#[track_caller]
fn in_no_file(home: &Home) {
    for file in files_below(home.path()) {
        assert!(!holds_canary(&fs::read(&file).expect("read")), "{}", file.display());
    }
}

#[test]
fn stored_keys_appear_nowhere_else() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(KEY)
        .exits(code::DONE)
        .does_not_say(CANARY);
    home.authenticate(["demo", "openai", "--api-key-stdin", "--json"])
        .input(KEY)
        .exits(code::DONE)
        .does_not_say(CANARY);
    home.authenticate(["demo", "openai", "--api-key-env", "K"])
        .env("K", KEY)
        .exits(code::DONE)
        .does_not_say(CANARY);
    home.authenticate(["demo", "openai", "--api-key", KEY]).exits(code::DONE).does_not_say(CANARY);
    let file = home.write("key", KEY);
    home.authenticate(["demo", "openai", "--api-key-file", "key"]).exits(code::DONE).does_not_say(CANARY);
    fs::remove_file(file).expect("removed");
    let mut session = Session::start(&home, ["demo", "openai"], &[]);
    session.shows("API key for OpenAI").masks();
    session.types(&format!("{KEY}\r"));
    assert!(!session.exits(code::DONE).contains(CANARY));
    in_no_file(&home);
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["projects"],
        &["providers"],
        &["logout", "demo", "openai", "--json"],
    ] {
        home.authenticate(arguments)
            .env("OPENAI_API_KEY", KEY)
            .env("GROQ_API_KEY", KEY)
            .ends()
            .does_not_say(CANARY);
    }
    in_no_file(&home);
}

#[test]
fn refused_keys_appear_nowhere() {
    let home = Home::new();
    let bad = format!("{KEY} and more");
    let two = format!("{KEY}\n{KEY}");
    for key in [&bad, &two] {
        home.authenticate(["demo", "openai", "--api-key-stdin"])
            .input(key)
            .exits(code::USAGE)
            .does_not_say(CANARY);
        home.authenticate(["demo", "openai", "--api-key-env", "K"])
            .env("K", key)
            .exits(code::USAGE)
            .does_not_say(CANARY);
        home.authenticate(["demo", "openai", "--api-key", key]).exits(code::USAGE).does_not_say(CANARY);
    }
    // Refused for other reasons than the key.
    home.authenticate(["demo", "opnai", "--api-key-stdin"])
        .input(KEY)
        .exits(code::USAGE)
        .does_not_say(CANARY);
    home.authenticate(["demo", "opnai", "--api-key", KEY]).exits(code::USAGE).does_not_say(CANARY);
    home.authenticate(["demo", "openai", "--api-key", KEY, "--oops"]).exits(code::USAGE).does_not_say(CANARY);
    home.authenticate(["demo", "openai", "--api-key-env", "K"])
        .env("K", KEY)
        .env("AUTHENTICATE_DATA_DIR", "/dev/null/data")
        .exits(code::STORE)
        .does_not_say(CANARY);
    in_no_file(&home);
    assert!(!home.database().exists());
}

#[test]
fn unusable_credentials_appear_nowhere() {
    let home = Home::new();
    let oauth = Credential::OAuth(OAuth {
        access_token: KEY.into(),
        refresh_token: Some(KEY.into()),
        id_token: Some(KEY.into()),
        extra: [("account_id".to_owned(), KEY.into())].into(),
    });
    let expired = Metadata {
        expires_at: Some(Timestamp::now() - SignedDuration::from_hours(1)),
        ..Metadata::default()
    };
    home.put("claude", &oauth, &expired);
    let fields = Credential::Fields([("a".to_owned(), KEY.into()), ("b".to_owned(), KEY.into())].into());
    home.put("slack", &fields, &Metadata::default());
    for json in [&[][..], &["--json"][..]] {
        let arguments = ["token", "demo", "claude"].into_iter().chain(json.iter().copied());
        home.authenticate(arguments).exits(code::ENGINE).does_not_say(CANARY);
    }
    home.authenticate(["token", "demo", "slack"]).exits(code::USAGE).does_not_say(CANARY);
    home.authenticate(["token", "demo", "slack", "--field", "c"]).exits(code::USAGE).does_not_say(CANARY);
    home.authenticate(["status", "--json"]).exits(code::DONE).does_not_say(CANARY);
    in_no_file(&home);
}

fn command_line(child: &Child) -> Vec<u8> {
    fs::read(format!("/proc/{}/cmdline", child.id())).expect("its command line")
}

fn environment(child: &Child) -> Vec<u8> {
    fs::read(format!("/proc/{}/environ", child.id())).expect("its environment")
}

#[track_caller]
fn ends_well(child: Child) {
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(code::DONE.into()), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Somebody writes in the store, so whoever has read its key waits, and can be looked at.
struct Writing(Connection);

impl Writing {
    fn begin(home: &Home) -> Self {
        let database = Connection::open(home.database()).expect("opened");
        database.execute_batch("BEGIN IMMEDIATE").expect("begun");
        Self(database)
    }

    fn end(self) {
        self.0.execute_batch("COMMIT").expect("ended");
        self.0.close().expect("closed");
    }
}

#[test]
fn key_from_standard_input_is_in_no_process_table() {
    let home = Home::new();
    home.stores("mistral", "other");
    let writing = Writing::begin(&home);
    let mut child = home.authenticate(["demo", "openai", "--api-key-stdin"]).starts();
    let mut input = child.stdin.take().expect("its input");
    input.write_all(KEY.as_bytes()).expect("written");
    drop(input);
    assert!(!holds_canary(&command_line(&child)));
    assert!(!holds_canary(&environment(&child)));
    writing.end();
    ends_well(child);
}

#[test]
fn key_from_a_file_is_in_no_process_table() {
    let home = Home::new();
    home.stores("mistral", "other");
    let writing = Writing::begin(&home);
    let file = home.write("key", KEY);
    let child = home.authenticate(["demo", "openai", "--api-key-file", file.to_str().unwrap()]).starts();
    assert!(!holds_canary(&command_line(&child)));
    assert!(!holds_canary(&environment(&child)));
    writing.end();
    ends_well(child);
}

#[test]
fn key_from_the_environment_is_in_no_command_line() {
    let home = Home::new();
    home.stores("mistral", "other");
    let writing = Writing::begin(&home);
    let child = home.authenticate(["demo", "openai", "--api-key-env", "K"]).env("K", KEY).starts();
    assert!(!holds_canary(&command_line(&child)));
    writing.end();
    ends_well(child);
}
