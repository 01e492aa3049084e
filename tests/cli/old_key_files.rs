//! Old key files after a rekey.

use std::{fs, path::Path, thread};

use rusqlite::Connection;
use test_support::{
    Home, KEY, Run, code, files_below,
    one_key::{PASSPHRASE, prints_the_key, store, token, with_key},
};

fn elsewhere(home: &Home, run: Run) -> Run {
    run.env("AUTHENTICATE_DATA_DIR", home.path().join("other"))
}

fn key_files(directory: &Path) -> usize {
    files_below(directory).iter().filter(|file| file.to_string_lossy().contains("auth.key")).count()
}

#[test]
fn named_key_file_is_kept_after_a_rekey() {
    let home = Home::new();
    let file = home.path().join("k/auth.key");
    fs::create_dir(file.parent().expect("a directory")).expect("made");
    home.write("config/config.yaml", &format!("store: {{key_file: {}}}\n", file.display()));
    home.stores("openai", KEY);
    elsewhere(&home, home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY)).exits(code::DONE);
    let key = fs::read(&file).expect("a key");
    let says = format!("the old key file is still there: {}", file.display());
    store(&home, ["rekey"]).exits(code::DONE).says(&says);
    prints_the_key(token(&home));
    prints_the_key(elsewhere(&home, token(&home)));
    // Nor is it taken again by the store that has put it away.
    for _ in 0..2 {
        store(&home, ["rekey"]).exits(code::DONE).does_not_say("is still there");
        assert_eq!(key_files(home.path()), 2, "the shared one, and ours");
    }
    store(&home, ["rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input(PASSPHRASE)
        .exits(code::DONE);
    assert_eq!(key_files(home.path()), 1);
    let passphrase = home.write("passphrase", PASSPHRASE);
    store(&home, ["rekey", "--source", "key_file"])
        .env("AUTHENTICATE_PASSPHRASE_FILE", passphrase)
        .exits(code::DONE);
    assert_eq!(key_files(home.path()), 2);
    assert_eq!(fs::read(&file).expect("a key"), key);
    prints_the_key(token(&home));
    prints_the_key(elsewhere(&home, token(&home)));
    // Another key in its place is not the one that was put away.
    fs::write(&file, [7; 32]).expect("written");
    store(&home, ["rekey"]).exits(code::DONE);
    assert_eq!(key_files(home.path()), 1);
    prints_the_key(token(&home));
}

#[test]
fn key_file_in_use_is_kept_even_if_listed_as_unused() {
    let home = with_key();
    let database = Connection::open(home.database()).expect("opened");
    database
        .execute("INSERT INTO unused_key SELECT source, parameters FROM store_key", [])
        .expect("as an earlier version left it");
    database.close().expect("closed");
    store(&home, ["rekey", "--key-file", "/nonexistent/k"]).exits(code::STORE);
    prints_the_key(token(&home));
    store(&home, ["rekey"]).exits(code::DONE);
    prints_the_key(token(&home));
    assert!(!home.data().join("store.key").exists());
}

#[test]
fn key_file_beside_another_store_is_not_shared() {
    let home = with_key();
    let key = home.data().join("store.key");
    home.write("config/config.yaml", &format!("store: {{key_file: {}}}\n", key.display()));
    elsewhere(&home, home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY))
        .exits(code::STORE)
        .says("lies beside another store: choose another place");
}

#[test]
fn key_file_created_by_several_stores_at_once_is_the_key_of_all() {
    for _ in 0..5 {
        let home = Home::new();
        let file = home.path().join("k/auth.key");
        fs::create_dir(file.parent().expect("a directory")).expect("made");
        home.write("config/config.yaml", &format!("store: {{key_file: {}}}\n", file.display()));
        let stores: Vec<_> = (0..6).map(|index| home.path().join(format!("store-{index}"))).collect();
        thread::scope(|scope| {
            for data in &stores {
                let run = home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY);
                scope.spawn(move || run.env("AUTHENTICATE_DATA_DIR", data).exits(code::DONE));
            }
        });
        assert_eq!(key_files(home.path()), 1);
        for data in &stores {
            prints_the_key(token(&home).env("AUTHENTICATE_DATA_DIR", data));
        }
    }
}
