//! A store that cannot be used: exit code 6, what to do, and not a byte of it changed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use rusqlite::Connection;
use test_support::{CANARY, Home, KEY, Outcome, code, files_below};

/// Every verb that opens the store.
fn each_verb(home: &Home) -> Vec<Outcome> {
    vec![
        home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY).exits(code::STORE),
        home.authenticate(["status"]).exits(code::STORE),
        home.authenticate(["status", "--json"]).exits(code::STORE),
        home.authenticate(["token", "demo", "openai"]).exits(code::STORE),
        home.authenticate(["logout", "demo", "openai"]).exits(code::STORE),
    ]
}

fn contents(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let bytes = |path: &Path| match path.is_symlink() {
        true => fs::read_link(path).expect("a link").into_os_string().into_encoded_bytes(),
        false => fs::read(path).expect("read"),
    };
    files_below(directory).into_iter().map(|path| (path.clone(), bytes(&path))).collect()
}

#[track_caller]
fn refused_and_left_alone(home: &Home, says: &str) {
    let before = contents(home.path());
    for outcome in each_verb(home) {
        outcome.says(says).does_not_say(CANARY);
    }
    assert!(contents(home.path()) == before, "the store was changed");
}

#[test]
fn store_is_created_for_its_owner_alone() {
    let home = Home::new();
    home.stores("openai", KEY);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&home.data()), 0o700);
    for file in files_below(&home.data()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn store_that_is_a_link_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    let elsewhere = home.path().join("elsewhere.db");
    fs::rename(home.database(), &elsewhere).expect("moved");
    symlink(&elsewhere, home.database()).expect("linked");
    refused_and_left_alone(&home, "is refused");
}

#[test]
fn data_directory_that_is_a_link_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    let elsewhere = home.path().join("elsewhere");
    fs::rename(home.data(), &elsewhere).expect("moved");
    symlink(&elsewhere, home.data()).expect("linked");
    refused_and_left_alone(&home, "is refused");
}

#[test]
fn store_of_a_newer_version_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    database.execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)").expect("changed");
    database.close().expect("closed");
    refused_and_left_alone(&home, "was written by a newer version of authenticate (schema 99");
}

#[test]
fn corrupt_store_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    fs::write(home.database(), "this is not a database, but it is long enough to be one ".repeat(100))
        .expect("written");
    refused_and_left_alone(&home, "is damaged");
}

#[test]
fn empty_store_file_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    fs::write(home.database(), "").expect("written");
    let file = home.database().display().to_string();
    refused_and_left_alone(
        &home,
        &format!("hint: keep a copy, move {file}, {file}-wal and {file}-shm aside"),
    );
    refused_and_left_alone(&home, "restore a backup or log in again");
}

#[test]
fn database_of_another_program_is_refused() {
    let home = Home::new();
    fs::create_dir(home.data()).expect("made");
    let database = Connection::open(home.database()).expect("opened");
    database.execute_batch("CREATE TABLE bookmark (url TEXT)").expect("made");
    database.close().expect("closed");
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o600)).expect("closed to others");
    refused_and_left_alone(&home, "is a database of another program");
}

#[test]
fn altered_credential_is_reported() {
    let home = Home::new();
    home.stores("openai", KEY);
    let database = Connection::open(home.database()).expect("opened");
    let broken = format!("{{\"type\":\"api_key\",\"kex\":\"{KEY}\"}}");
    database.execute("UPDATE credential SET secret = CAST(? AS BLOB)", [&broken]).expect("changed");
    database.close().expect("closed");
    home.authenticate(["token", "demo", "openai"])
        .exits(code::STORE)
        .says("does not open: it was altered")
        .says("restore a backup, or log in again to replace it, with: authenticate demo openai")
        .does_not_say(CANARY);
    home.stores("openai", KEY);
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
}
