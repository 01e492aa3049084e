//! Killed at any moment of storing, the program leaves a store that can be opened.

use std::{
    fs,
    hint::spin_loop,
    io::Write as _,
    time::{Duration, Instant},
};

use authenticate::{credential::Address, store::Store};
use test_support::{CANARY, Home, KEY, code, files_below, name};

/// How many moments are tried.
const MOMENTS: u32 = 20;

/// Starts storing a key and kills the program once `now` says so, or lets it end.
fn store_and_kill(home: &Home, key: &str, mut now: impl FnMut() -> bool) {
    let mut child = home.authenticate(["demo", "openai", "--api-key-stdin"]).starts();
    let mut input = child.stdin.take().expect("its input");
    input.write_all(key.as_bytes()).expect("written");
    drop(input);
    while child.try_wait().expect("its state").is_none() {
        if now() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        spin_loop();
    }
}

/// The store can be opened, is whole, and has this key of several or none; the next run works.
fn is_whole(home: &Home, may_hold: &[&str]) {
    if let Some(store) = Store::open_existing(&home.data()).expect("opened") {
        assert_eq!(store.check().expect("checked"), [""; 0]);
        if let Some(record) = store.get(&Address::default_profile(name("openai"))).expect("read") {
            let key = record.credential.usable().expect("a key").expose().to_owned();
            assert!(may_hold.contains(&key.as_str()), "{key}");
        }
    }
    home.stores("openai", KEY);
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(KEY);
}

fn time_of(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

#[test]
fn store_killed_while_it_is_created_is_whole() {
    let whole = time_of(|| drop(Home::new().stores("openai", KEY)));
    for moment in 0..MOMENTS {
        let home = Home::new();
        let start = Instant::now();
        store_and_kill(&home, KEY, || start.elapsed() >= whole * moment / MOMENTS);
        is_whole(&home, &[KEY]);
    }
}

#[test]
fn store_killed_while_a_key_is_replaced_is_whole() {
    let home = Home::new();
    home.stores("openai", KEY);
    let whole = time_of(|| drop(home.stores("openai", KEY)));
    let other = "sk-other-0123456789-abcdefghij";
    for moment in 0..MOMENTS {
        let start = Instant::now();
        store_and_kill(&home, other, || start.elapsed() >= whole * moment / MOMENTS);
        is_whole(&home, &[KEY, other]);
    }
}

/// At the moments that can be seen from outside: as soon as another file is there.
#[test]
fn store_killed_when_a_file_appears_is_whole_and_holds_no_plain_key() {
    for count in 1..=4 {
        let home = Home::new();
        store_and_kill(&home, KEY, || files_below(&home.data()).len() >= count);
        for file in files_below(&home.data()) {
            let at = file.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = fs::read(&file).expect("read");
            let holds = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!holds, "{at} holds the key");
        }
        is_whole(&home, &[KEY]);
    }
}
