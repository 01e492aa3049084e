//! A row that makes no sense is reported, and is nothing to the others.

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use test_support::{
    CANARY, Home, KEY, Outcome, code,
    one_key::{PASSPHRASE, prints_the_key, store, token, with_key},
};

use crate::store_verbs::{no_file_holds, with_fixture};

/// A home with a sound credential, and one damaged by this SQL.
fn with_damage(sql: &str) -> Home {
    let home = with_key();
    home.stores("mistral", "another-CANARY");
    damage(&home, sql);
    home
}

fn damage(home: &Home, sql: &str) {
    let database = Connection::open(home.database()).expect("opened");
    assert_eq!(database.execute(sql, []).expect(sql), 1, "{sql}");
    database.close().expect("closed");
}

/// Damage to columns beside the secret.
const NONSENSE: [(&str, &str); 7] = [
    ("scopes", "'[\"CANARY'"),
    ("scopes", "''"),
    ("kind", "'CANARY'"),
    ("expires_at", "9223372036854775807"),
    ("created_at", "-9223372036854775808"),
    ("updated_at", "9223372036854775807"),
    ("details", "'{\"owner\": \"CANARY\"}'"),
];

/// Invalid names.
const NAMELESS: [(&str, &str); 4] = [
    (
        "UPDATE credential SET provider = 'a/b' WHERE provider = 'mistral'",
        "\"a/b\":\"default\" (set \"default\")",
    ),
    ("UPDATE credential SET profile = '' WHERE provider = 'mistral'", "\"mistral\":\"\" (set \"default\")"),
    (
        "UPDATE credential SET credential_set = 'x' || char(10, 27) WHERE provider = 'mistral'",
        "(set \"x\\n\\u{1b}\")",
    ),
    ("UPDATE credential SET provider = CAST(x'ff' AS TEXT) WHERE provider = 'mistral'", ":\"default\" (set"),
];

fn rows(outcome: &Outcome) -> Vec<Value> {
    serde_json::from_str::<Value>(&outcome.stdout).expect("JSON")["credentials"]
        .as_array()
        .expect("a list")
        .clone()
}

#[test]
fn damaged_store_is_nothing_to_a_credential_that_is_given() {
    let home = with_key();
    fs::write(home.database(), "broken").expect("written");
    let token = |more: &[&str]| {
        home.authenticate(["token", "demo", "openai"].iter().chain(more)).env("GIVEN", "sk-given-0123456789")
    };
    assert_eq!(token(&["--token-env", "GIVEN"]).exits(code::DONE).stdout, "sk-given-0123456789\n");
    let by_itself = token(&[]).env("OPENAI_API_KEY", "sk-env-0123456789").exits(code::STORE);
    by_itself.says("is damaged").says("to use the environment without the store: --token-env OPENAI_API_KEY");
}

#[test]
fn damaged_row_is_reported_by_name_and_hides_no_other() {
    for (column, value) in NONSENSE {
        let home =
            with_damage(&format!("UPDATE credential SET {column} = {value} WHERE provider = 'mistral'"));
        let says = format!("holds for mistral cannot be read: its {column} is not valid");
        let said = |outcome: Outcome| {
            assert!(outcome.stderr.contains(&says), "{column}: {outcome:#?}");
            assert!(
                outcome.stderr.contains("hint: restore a backup, or remove the entry: authenticate logout "),
                "{column}: {outcome:#?}"
            );
            outcome.does_not_say(CANARY);
            outcome
        };
        // A list shows the readable rows.
        let shown = said(home.authenticate(["status"]).exits(code::DONE));
        let has = |provider: &str, state: &str| {
            let line = shown.stdout.lines().find(|line| line.starts_with(provider)).expect("a line");
            assert!(line.split_whitespace().any(|word| word == state), "{line}");
        };
        has("openai", "ok");
        has("mistral", "error");
        let list = said(home.authenticate(["status", "--json"]).exits(code::DONE));
        let states: Vec<_> =
            rows(&list).iter().map(|row| (row["provider"].clone(), row["state"].clone())).collect();
        assert_eq!(states, [(json!("mistral"), json!("error")), (json!("openai"), json!("ok"))]);
        // A row asked for by name must be readable.
        prints_the_key(token(&home));
        home.authenticate(["status", "openai"]).exits(code::DONE).prints("openai");
        said(home.authenticate(["status", "mistral"]).exits(code::STORE));
        said(home.authenticate(["token", "demo", "mistral"]).exits(code::STORE));
        said(home.authenticate(["refresh"]).exits(code::STORE));
        said(store(&home, ["rekey"]).exits(code::STORE));
        said(store(&home, ["backup", "b.age", "--passphrase-stdin"]).input("x").exits(code::STORE));
        // There is a way out.
        home.authenticate(["logout", "demo", "mistral"]).exits(code::DONE).says("removed mistral");
        home.authenticate(["status"]).exits(code::DONE).does_not_say("mistral");
        prints_the_key(token(&home));
    }
}

#[test]
fn row_without_an_address_is_reported_and_hides_no_other() {
    for (sql, named) in NAMELESS {
        let home = with_damage(sql);
        let said = |outcome: Outcome| {
            assert!(outcome.stderr.contains(named), "{sql}: {outcome:#?}");
            outcome.does_not_say(CANARY);
            outcome
        };
        let shown = said(home.authenticate(["status"]).exits(code::DONE));
        assert!(shown.stdout.contains("openai"), "{shown:#?}");
        let list = said(home.authenticate(["status", "--json"]).exits(code::DONE)).json();
        assert_eq!(list["credentials"].as_array().expect("a list").len(), 1);
        assert!(list["unreadable"][0]["row"].as_str().expect("a row").contains(named), "{list}");
        prints_the_key(token(&home));
        said(home.authenticate(["refresh"]).exits(code::STORE));
        let report = home.authenticate(["doctor", "--json"]).ends().json();
        assert!(report["checks"][1]["detail"].as_str().expect("text").contains(named), "{report}");
        said(home.authenticate(["logout", "--all"]).exits(code::DONE)).says("removed openai");
        assert_eq!(store(&home, ["status", "--json"]).exits(code::DONE).json()["records"], 0);
        home.authenticate(["status"]).exits(code::DONE).says("nothing is stored");
    }
}

/// It must not pass for one that was never stored: its variable would step in.
#[test]
fn credential_whose_name_is_damaged_is_not_replaced_by_the_environment() {
    for (sql, named) in NAMELESS {
        let home = with_damage(sql);
        let token = |provider: &str| {
            home.authenticate(["token", "demo", provider])
                .env("MISTRAL_API_KEY", "env")
                .env("GROQ_API_KEY", "env")
        };
        token("mistral").exits(code::STORE).says(named).says("authenticate logout --all --set SET");
        token("openai").exits(code::DONE).prints(KEY);
        // It is known not to be this one.
        token("groq").exits(code::DONE).prints("env");
        token("mistral:work").exits(code::NO_CREDENTIAL);
    }
}

#[test]
fn logout_all_removes_damaged_rows() {
    let home = with_damage("UPDATE credential SET scopes = 'x' WHERE provider = 'mistral'");
    home.authenticate(["logout", "--all"]).exits(code::DONE).says("removed mistral").says("removed openai");
    home.authenticate(["status"]).exits(code::DONE).says("nothing is stored");
}

/// A restore is the way out, and says what it cannot keep.
#[test]
fn restore_replaces_unreadable_credentials() {
    let home = with_key();
    store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
    for sql in [
        "UPDATE credential SET scopes = 'x' WHERE provider = 'mistral'",
        "UPDATE credential SET updated_at = 9223372036854775807 WHERE provider = 'mistral'",
        "UPDATE credential SET secret = zeroblob(60) WHERE provider = 'mistral'",
        NAMELESS[0].0,
    ] {
        home.stores("mistral", "another");
        damage(&home, sql);
        let restore = store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE);
        restore
            .exits(code::DONE)
            .says("could not restore: what ")
            .says("the credentials before the restore are in ");
        prints_the_key(token(&home));
        assert_eq!(home.stored().len(), 1);
    }
}

/// Where the key is lost nothing can be restored into the store itself, so that is not what is advised.
#[test]
fn store_without_its_key_is_restored_elsewhere() {
    let into = "restore a backup into an empty data directory (AUTHENTICATE_DATA_DIR)";
    fn key_file(home: &Home) -> PathBuf {
        home.data().join("store.key")
    }
    type Case = (&'static str, fn(&Home));
    let cases: [Case; 5] = [
        ("store.key is missing", |home| fs::remove_file(key_file(home)).expect("removed")),
        ("it holds another key", |home| fs::write(key_file(home), [7; 32]).expect("written")),
        ("does not hold a key", |home| fs::write(key_file(home), [7; 31]).expect("written")),
        ("the database's record of it was altered", |home| {
            damage(home, "UPDATE store_key SET wrapped = zeroblob(80)");
        }),
        ("the record of it was altered", |home| damage(home, "UPDATE store_key SET parameters = '{}'")),
    ];
    for (says, damage) in cases {
        let home = with_key();
        store(&home, ["backup", "b.age", "--passphrase-stdin"]).input(PASSPHRASE).exits(code::DONE);
        damage(&home);
        token(&home).exits(code::STORE).says(says).says(into).does_not_say("update authenticate");
        let restore = || store(&home, ["restore", "b.age", "--passphrase-stdin"]).input(PASSPHRASE);
        restore().exits(code::STORE).says(into);
        let other = home.path().join("other");
        restore().env("AUTHENTICATE_DATA_DIR", &other).exits(code::DONE);
        prints_the_key(token(&home).env("AUTHENTICATE_DATA_DIR", &other));
    }
}

#[test]
fn store_without_its_key_record_is_not_called_unsealed() {
    let home = with_key();
    damage(&home, "DELETE FROM store_key");
    let status = store(&home, ["status"]).exits(code::STORE);
    status.says("is damaged (the record of its key is gone)").says("restore a backup or log in again");
    status.does_not_say("migrate");
}

/// Nobody can use it, and its secret is sealed like the others.
#[test]
fn migration_seals_plain_rows_despite_a_damaged_one() {
    for sql in [
        "UPDATE credential SET provider = 'a/b' WHERE provider = 'slack'",
        "UPDATE credential SET scopes = 'x' WHERE provider = 'slack'",
    ] {
        let home = with_fixture();
        damage(&home, sql);
        home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints("sk-PLAINCANARY-openai");
        no_file_holds(&home, "PLAINCANARY");
    }
}

#[test]
fn damaged_log_entry_hides_no_other() {
    let home = with_key();
    damage(
        &home,
        "INSERT INTO audit (at, uid, pid, program, action, provider, credential_set, profile, outcome)
         VALUES (9223372036854775807, -1, 99999999999, CAST(x'ff' AS TEXT), 'token', 'a/b', 'default', 'default', 'ok')",
    );
    let log = home.authenticate(["log", "--json"]).exits(code::DONE).json();
    let actions: Vec<_> =
        log["entries"].as_array().expect("a list").iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["token", "store"]);
    home.authenticate(["log"]).exits(code::DONE).prints("store");
}
