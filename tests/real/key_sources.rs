//! Keys of the store that a key ring or systemd keeps.

use std::time::{Duration, Instant};

use test_support::{
    Home, KEY, Run, code,
    key_ring::KeyRing,
    one_key::{BUS, FILE, PASSPHRASE, VARIABLE, prints_the_key, store, stores, token, with_key},
};

#[test]
fn systemd_seals_the_key() {
    let home = Home::new();
    let path = "/usr/local/bin:/usr/bin:/bin";
    stores(&home).env("PATH", path).env(VARIABLE, "systemd-creds").exits(code::DONE).says("systemd-creds");
    prints_the_key(token(&home).env("PATH", path));
    assert!(!home.data().join("store.key").exists());
    token(&home).env("PATH", "/nonexistent").exits(code::STORE).says("cannot run systemd-creds");
    let other = Home::new();
    stores(&other)
        .env("PATH", "/nonexistent")
        .env(VARIABLE, "systemd-creds")
        .exits(code::STORE)
        .says("cannot run");
}

#[test]
fn with_a_key_ring_that_works_it_is_the_key_ring() {
    let home = Home::new();
    let mut ring = KeyRing::unlocked();
    stores(&home).env(BUS, ring.address()).exits(code::DONE).says("its key is in: the key ring");
    assert!(!home.data().join("store.key").exists());
    assert_eq!(ring.entries(), 1, "the probe is gone, and the key is there");
    prints_the_key(token(&home).env(BUS, ring.address()));
    // Without it there is no key, and no other one is made.
    token(&home).exits(code::STORE).says("there is no key ring");
    stores(&home).exits(code::STORE).says("there is no key ring");
    ring.locks();
    token(&home).env(BUS, ring.address()).exits(code::STORE).says("the key ring is locked: unlock it");
    stores(&home).env(BUS, ring.address()).exits(code::STORE).says("the key ring is locked");
    assert!(!home.data().join("store.key").exists());
    home.authenticate(["status"]).env(BUS, ring.address()).exits(code::DONE).prints("openai");
    ring.unlocks();
    prints_the_key(token(&home).env(BUS, ring.address()));
    ring.hangs();
    let start = Instant::now();
    let hanging = token(&home).env(BUS, ring.address()).exits(code::STORE);
    hanging.says("did not answer within 8 seconds").does_not_say("rekey");
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(!home.data().join("store.key").exists());
}

#[test]
fn a_locked_key_ring_is_an_error_at_first_too() {
    let home = Home::new();
    let mut ring = KeyRing::unlocked();
    ring.locks();
    stores(&home)
        .env(BUS, ring.address())
        .exits(code::STORE)
        .says("the key ring is locked: unlock it (")
        .says(", then try again, or choose another source: ")
        .says("AUTHENTICATE_KEY_SOURCE=key_file");
    assert!(!home.data().join("store.key").exists());
    stores(&home).env(BUS, ring.address()).env(VARIABLE, "key_file").exits(code::DONE);
}

/// Every word of advice is followed.
#[test]
fn the_ways_out_of_a_locked_key_ring_lead_out() {
    let home = Home::new();
    let mut ring = KeyRing::unlocked();
    let with_ring = |run: Run, ring: &KeyRing| run.env(BUS, ring.address());
    with_ring(stores(&home), &ring).exits(code::DONE);
    let backup = home.authenticate(["store", "backup", "b.age", "--passphrase-stdin"]).input("x");
    with_ring(backup, &ring).exits(code::DONE);

    ring.locks();
    let locked = with_ring(token(&home), &ring).exits(code::STORE);
    locked.says("the key ring is locked: unlock it").does_not_say("rekey");
    // To unlock it, without a desktop.
    locked.says("`gnome-keyring-daemon --replace --unlock`");
    ring.is_told_its_password(&["--replace", "--unlock"]);
    prints_the_key(with_ring(token(&home), &ring));

    // To restore a backup elsewhere.
    ring.locks();
    let locked = with_ring(token(&home), &ring).exits(code::STORE);
    locked.says("or restore a backup into an empty data directory (AUTHENTICATE_DATA_DIR)");
    locked.says("with AUTHENTICATE_KEY_SOURCE=key_file");
    let elsewhere = home.path().join("elsewhere");
    let restore = home.authenticate(["store", "restore", "b.age", "--passphrase-stdin"]).input("x");
    with_ring(restore, &ring)
        .env("AUTHENTICATE_DATA_DIR", &elsewhere)
        .env(VARIABLE, "key_file")
        .exits(code::DONE)
        .says("1 credential is restored");
    prints_the_key(with_ring(token(&home), &ring).env("AUTHENTICATE_DATA_DIR", &elsewhere));

    // A store that is about to move there has its old key still.
    let rekey = |source: &str| {
        let run = home.authenticate(["store", "rekey", "--source", source]);
        with_ring(run, &ring).env("AUTHENTICATE_DATA_DIR", &elsewhere)
    };
    let refused = rekey("keyring").exits(code::STORE);
    refused.says("the key ring is locked: unlock it").says("or choose another source");
    refused.says("choose another source with: --source key_file");
    refused.does_not_say(VARIABLE);
    rekey("key_file").exits(code::DONE);
    prints_the_key(with_ring(token(&home), &ring).env("AUTHENTICATE_DATA_DIR", &elsewhere));
}

#[test]
fn a_rekey_moves_the_key_from_source_to_source() {
    let home = with_key();
    let mut ring = KeyRing::unlocked();
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
    rekey(&[]).exits(code::DONE).says("is still there");
    assert!(elsewhere.exists(), "it was named, so others may have it");
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

/// Only the ring knows, and it is not asked for that: it might ask its owner.
#[test]
fn store_status_does_not_ask_a_key_ring_whether_it_is_locked() {
    let home = Home::new();
    let mut ring = KeyRing::unlocked();
    home.authenticate(["demo", "openai", "--api-key-stdin"])
        .input(KEY)
        .env(BUS, ring.address())
        .exits(code::DONE);
    for locked in [false, true] {
        if locked {
            ring.locks();
        }
        let status = |words: &[&str]| {
            let words = ["store", "status"].iter().chain(words);
            home.authenticate(words).env(BUS, ring.address()).exits(code::DONE)
        };
        let shown = status(&[]).stdout;
        assert!(shown.contains("locked   as the key ring is, which is read when"), "{shown}");
        assert_eq!(status(&["--json"]).json()["locked"], serde_json::Value::Null);
    }
    let home = with_key();
    assert_eq!(store(&home, ["status", "--json"]).exits(code::DONE).json()["locked"], false);
}
