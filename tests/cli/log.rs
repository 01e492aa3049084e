//! The audit log: who did what to which credential, and never a secret.

use std::thread;

use rusqlite::Connection;
use serde_json::Value;
use test_support::{CANARY, Home, KEY, code};

fn entries(home: &Home, words: &[&str]) -> Vec<Value> {
    let words = ["log", "--json"].iter().chain(words);
    let log = home.authenticate(words).exits(code::DONE);
    log.does_not_say(CANARY);
    log.json()["entries"].as_array().expect("a list").clone()
}

fn actions(home: &Home) -> Vec<String> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let said = |entry: Value| {
        format!("{} {} {}", text(&entry, "action"), text(&entry, "provider"), text(&entry, "outcome"))
    };
    let mut actions: Vec<_> = entries(home, &[]).into_iter().map(said).collect();
    actions.reverse();
    actions
}

#[test]
fn actions_are_recorded() {
    let home = Home::new();
    home.authenticate(["log"]).exits(code::DONE).says("no entries");
    assert!(!home.data().exists());
    home.stores("openai:work", KEY);
    home.authenticate(["token", "demo", "openai:work"]).exits(code::DONE);
    home.authenticate(["token", "demo", "mistral"]).exits(code::NO_CREDENTIAL);
    home.authenticate(["status"]).exits(code::DONE);
    home.authenticate(["store", "backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::DONE);
    home.authenticate(["store", "rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input("x")
        .exits(code::DONE);
    home.authenticate(["token", "demo", "openai:work"]).exits(code::STORE);
    home.authenticate(["store", "unlock", "--passphrase-stdin"]).input("wrong").exits(code::STORE);
    home.authenticate(["store", "unlock", "--passphrase-stdin"]).input("x").exits(code::DONE);
    home.authenticate(["store", "restore", "b.age", "--passphrase-stdin"]).input("x").exits(code::DONE);
    home.authenticate(["logout", "demo", "openai:work"]).exits(code::DONE);
    home.authenticate(["store", "lock"]).exits(code::DONE);
    let expected = [
        "store openai ok",
        "token openai ok",
        "backup - ok",
        "rekey - ok",
        "token openai locked",
        "unlock - wrong_passphrase",
        "unlock - ok",
        "restore - ok",
        "remove openai ok",
        "lock - ok",
    ];
    assert_eq!(actions(&home), expected);
    let first = entries(&home, &["--provider", "openai"]).pop().expect("one");
    assert_eq!((&first["set"], &first["profile"]), (&"default".into(), &"work".into()));
    assert_eq!(first["program"], "authenticate");
    assert_eq!(first["uid"], rustix::process::getuid().as_raw());
    assert!(first["pid"].as_u64().is_some_and(|pid| pid > 0) && first["caller"].is_string());
    assert!(first["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!(entries(&home, &["--provider", "mistral"]).len(), 0);
    assert_eq!(entries(&home, &["--limit", "2"]).len(), 2);
    let shown = home.authenticate(["log", "--limit", "1"]).exits(code::DONE).stdout;
    assert!(shown.starts_with("TIME") && shown.contains("lock"), "{shown}");
}

/// With one's own word for each error, also where nobody was asked.
#[test]
fn failures_are_recorded() {
    const FILE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
    let home = Home::new();
    let store = |words: &[&str]| home.authenticate(["store"].iter().chain(words));
    home.stores("openai", KEY);
    store(&["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::DONE);
    store(&["restore", "b.age", "--passphrase-stdin"]).input("y").exits(code::USAGE);
    store(&["rekey", "--key-file", "/nonexistent/k"]).exits(code::STORE);
    store(&["rekey", "--source", "passphrase", "--passphrase-stdin"]).input("x").exits(code::DONE);
    let wrong = home.write("wrong", "wrong");
    for words in [
        &["unlock"][..],
        &["rekey", "--source", "key_file"],
        &["backup", "c.age", "--passphrase-stdin"],
        &["restore", "b.age", "--passphrase-stdin"],
    ] {
        store(words).env(FILE, &wrong).input("x").exits(code::STORE).says("not the passphrase");
    }
    store(&["backup", "c.age", "--passphrase-stdin"]).input("x").exits(code::STORE);
    // Nothing was begun.
    store(&["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::USAGE);
    store(&["rekey"]).env(FILE, home.write("right", "x")).exits(code::USAGE);
    home.write("empty/other", "");
    home.authenticate(["import", "codex", "--from", "empty"]).exits(code::LOGIN_FAILED);
    let expected = [
        "store openai ok",
        "backup - ok",
        "restore - backup",
        "rekey - no_key",
        "rekey - ok",
        "unlock - wrong_passphrase",
        "rekey - wrong_passphrase",
        "backup - wrong_passphrase",
        "restore - wrong_passphrase",
        "backup - locked",
        "import codex vendor_files",
    ];
    assert_eq!(actions(&home), expected);
}

#[test]
fn limit_of_zero_is_refused_and_an_empty_log_is_not() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["log", "--limit", "0"]).exits(code::USAGE).says("--limit").does_not_say("no entries");
    home.authenticate(["log", "--provider", "mistral"])
        .exits(code::DONE)
        .says("no entries for that provider");
}

/// A command that asks for a field name handed nothing out.
#[test]
fn refused_secret_is_not_recorded_as_handed_out() {
    let home = Home::new();
    let object = r#"{"bot_token": "xoxb-CANARY", "app_token": ""}"#;
    home.authenticate(["demo", "slack", "--fields-json-stdin"]).input(object).exits(code::DONE);
    let token = |words: &[&str]| home.authenticate(["token", "demo", "slack"].iter().chain(words));
    token(&[]).exits(code::USAGE).says("slack has several fields");
    token(&["--field", "nonesuch"]).exits(code::USAGE).says("slack has no field");
    token(&["--field", "app_token"]).exits(code::NO_CREDENTIAL);
    token(&["--field", "bot_token"]).exits(code::DONE).prints("xoxb-CANARY");
    token(&["--json"]).exits(code::DONE).prints("xoxb-CANARY");
    let expected = [
        "store slack ok",
        "token slack several_fields",
        "token slack no_field",
        "token slack incomplete",
        "token slack ok",
        "token slack ok",
    ];
    assert_eq!(actions(&home), expected);
}

#[test]
fn unreadable_credential_is_recorded_as_such() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    database.execute("UPDATE credential SET secret = zeroblob(60)", []).expect("altered");
    database.close().expect("closed");
    home.authenticate(["token", "demo", "openai"]).exits(code::STORE);
    assert_eq!(actions(&home), ["store openai ok", "token openai altered"]);
}

#[test]
fn log_is_append_only_and_bounded() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    let columns = "at, uid, pid, program, caller, action, provider, credential_set, profile, outcome";
    let many = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
         INSERT INTO audit ({columns}) SELECT {columns} FROM n, (SELECT * FROM audit LIMIT 1)"
    );
    database.execute_batch(&many).expect("added");
    let shape = "SELECT count(*), min(id), max(id) FROM audit";
    let found: (i64, i64, i64) =
        database.query_row(shape, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("read");
    assert_eq!(found, (10_000, 502, 10_501));
    database.close().expect("closed");
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE);
    assert_eq!(entries(&home, &["--limit", "1000000"]).len(), authenticate::store::AUDIT_ENTRIES);
}

/// Somebody who writes for long does not keep a secret from being read.
#[test]
fn token_does_not_wait_long_for_the_log() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    database.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let start = std::time::Instant::now();
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    database.execute_batch("ROLLBACK").expect("ended");
}

/// It has waited in vain already, ten seconds. A backup that is written is one, whether or not that can be recorded.
#[test]
fn commands_wait_only_once_for_a_locked_database() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    database.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let start = std::time::Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            home.authenticate(["demo", "mistral", "--api-key-stdin"]).input(KEY).exits(code::BUSY);
        });
        scope.spawn(|| home.authenticate(["store", "rekey"]).exits(code::BUSY));
        scope.spawn(|| {
            let backup = home.authenticate(["store", "backup", "b.age", "--passphrase-stdin"]);
            backup.input("a passphrase").exits(code::DONE);
        });
    });
    assert!(start.elapsed() < std::time::Duration::from_secs(18), "{:?}", start.elapsed());
    database.execute_batch("ROLLBACK").expect("ended");
}

#[test]
fn failed_login_is_recorded_if_there_is_a_store() {
    let home = Home::new();
    let refused = |words: &[&str], input: &str, code| {
        home.authenticate(words).input(input).exits(code).does_not_say(CANARY);
    };
    refused(&["demo", "openai", "--api-key-stdin"], "sk-CANARY", code::USAGE);
    assert!(!home.data().exists(), "nothing is made for that");
    home.stores("mistral", KEY);
    refused(&["demo", "openai", "--api-key-stdin"], "sk-CANARY", code::USAGE);
    refused(&["demo", "anthropic", "--token-stdin"], "CANARY two words", code::USAGE);
    refused(&["demo", "slack", "--field", "bot_token=-", "--set", "team"], "", code::USAGE);
    refused(&["demo", "codex:work", "--mode", "oauth"], "", code::ENGINE);
    // Nothing was attempted.
    refused(&["demo", "openai"], "", code::USAGE);
    refused(&["demo", "openai", "--mode", "oauth"], "", code::USAGE);
    let expected = [
        "store mistral ok",
        "login openai bad_key",
        "login anthropic bad_key",
        "login slack bad_field",
        "login codex engine",
    ];
    assert_eq!(actions(&home), expected);
    let of_codex = entries(&home, &["--provider", "codex"]).pop().expect("one");
    assert_eq!((&of_codex["set"], &of_codex["profile"]), (&"default".into(), &"work".into()));
    let of_slack = entries(&home, &["--provider", "slack"]).pop().expect("one");
    assert_eq!(of_slack["set"], "team");
}

#[test]
fn login_into_a_locked_store_is_recorded_as_such() {
    let home = Home::new();
    home.stores("mistral", KEY);
    home.authenticate(["store", "rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input("x")
        .exits(code::DONE);
    home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY).exits(code::STORE);
    assert_eq!(actions(&home), ["store mistral ok", "rekey - ok", "login openai locked"]);
}

#[test]
fn sealing_of_plain_credentials_is_recorded() {
    let home = crate::store_verbs::with_fixture();
    home.authenticate(["status"]).exits(code::DONE);
    assert_eq!(actions(&home), ["migrate - ok"]);
    home.authenticate(["store", "migrate"]).exits(code::DONE);
    assert_eq!(actions(&home).len(), 1, "nothing was left to do");
}

#[test]
fn import_is_recorded_as_import() {
    let home = Home::new();
    home.write(".config/gh/hosts.yml", "github.com:\n  user: ann\n  oauth_token: gho_CANARY\n");
    home.authenticate(["import", "gh"]).exits(code::DONE);
    assert_eq!(actions(&home), ["import gh ok"]);
}

/// It is there more than once, or it would not have been replaced.
#[test]
fn storing_and_replacing_are_recorded_alike() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.stores("openai", "sk-0123456789-another");
    home.authenticate(["logout", "demo", "openai"]).exits(code::DONE);
    home.authenticate(["logout", "demo", "openai"]).exits(code::NO_CREDENTIAL);
    assert_eq!(actions(&home), ["store openai ok", "store openai ok", "remove openai ok"]);
}
