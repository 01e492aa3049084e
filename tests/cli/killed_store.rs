//! Killed at any moment of giving the store another key, restoring or sealing it, the program leaves one that opens.

use std::{fs, os::unix::fs::PermissionsExt as _};

use authenticate::store::Store;
use test_support::{
    Home, KEY, code, files_below,
    killed::{MOMENTS, RECORDS, filled, is_whole, keys, killed, time_of},
};

#[test]
fn rekey_that_is_killed_keeps_the_store_usable() {
    let home = filled();
    let rekey = || home.authenticate(["store", "rekey"]);
    let whole = time_of(rekey()).max(time_of(rekey()));
    let mut kills = 0;
    for moment in 0..MOMENTS {
        kills += usize::from(killed(rekey(), whole * moment / MOMENTS));
        is_whole(&home, RECORDS);
        assert!(keys(&home) >= 1);
    }
    assert!(kills > MOMENTS as usize / 4, "only {kills} were killed");
    // Their leftovers are removed by the next rekey.
    rekey().exits(code::DONE);
    let left = files_below(&home.data());
    assert_eq!(
        left.iter().filter(|file| file.to_string_lossy().contains("store.key")).count(),
        1,
        "{left:?}"
    );
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
}

#[test]
fn first_key_that_is_killed_keeps_the_store_usable() {
    let whole = time_of(Home::new().authenticate(["demo", "openai", "--api-key-env", "K"]).env("K", KEY));
    for moment in 0..MOMENTS {
        let home = Home::new();
        let stores = || home.authenticate(["demo", "openai", "--api-key-env", "K"]).env("K", KEY);
        killed(stores(), whole * moment / MOMENTS);
        stores().exits(code::DONE);
        is_whole(&home, 1);
        home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
        let left = files_below(&home.data());
        let names = left.iter().map(|file| file.file_name().unwrap().to_string_lossy());
        let others: Vec<_> = names.filter(|name| !name.starts_with("credentials.db")).collect();
        // A database that was not whole yet may lie there under its temporary name.
        assert_eq!(others.iter().filter(|name| !name.starts_with(".credentials-")).count(), 1, "{left:?}");
    }
}

#[test]
fn restore_that_is_killed_keeps_the_store_usable() {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let home = filled();
    home.write("identity", identity.to_string().expose_secret());
    home.authenticate(["store", "backup", "b.age", "--recipient", &recipient]).exits(code::DONE);
    let restore = || home.authenticate(["store", "restore", "b.age", "--identity", "identity"]);
    let more = || home.stores("mistral", "another");
    more();
    let whole = time_of(restore());
    for moment in 0..MOMENTS {
        more();
        killed(restore(), whole * moment / MOMENTS);
        let store = Store::open_existing(&home.data()).expect("opened").expect("there");
        assert_eq!(store.check().expect("checked"), [""; 0]);
        // All of the one, or all of the other.
        let records = store.list(None).expect("listed").len();
        assert!(records == RECORDS || records == RECORDS + 1, "{records}");
    }
    restore().exits(code::DONE);
    is_whole(&home, RECORDS);
}

#[test]
fn migration_that_is_killed_keeps_the_store_usable() {
    const FIXTURE: &[u8] = include_bytes!("../fixtures/schema-1.db");
    let with_fixture = || {
        let home = Home::new();
        fs::create_dir(home.data()).expect("made");
        fs::write(home.database(), FIXTURE).expect("written");
        fs::set_permissions(home.database(), fs::Permissions::from_mode(0o600)).expect("closed");
        home
    };
    let whole = time_of(with_fixture().authenticate(["store", "migrate"]));
    for moment in 0..MOMENTS {
        let home = with_fixture();
        killed(home.authenticate(["store", "migrate"]), whole * moment / MOMENTS);
        // Whoever opens it next does the rest.
        home.authenticate(["status"]).exits(code::DONE);
        for file in files_below(&home.data()) {
            let content = fs::read(&file).expect("read");
            let holds = content.windows(11).any(|window| window == b"PLAINCANARY");
            assert!(!holds, "killed at {moment}/{MOMENTS}: {}", file.display());
        }
        is_whole(&home, 45);
        home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints("sk-PLAINCANARY-openai");
    }
}
