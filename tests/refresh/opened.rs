//! The files that a command opens: a refresh reads nothing twice.
#![cfg(target_os = "linux")]

use std::{collections::BTreeMap, mem::MaybeUninit, path::Path};

use jiff::SignedDuration;
use rustix::{
    fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init},
    io::Errno,
};
use test_support::{
    Issuer,
    refresh::{EXPIRED, Home},
};

/// Runs a command and counts how often it opens each file.
fn openings<const N: usize>(files: [&Path; N], run: impl FnOnce()) -> [usize; N] {
    let events = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).expect("watching");
    // The kernel merges equal events that follow each other; the closings keep the openings apart.
    let flags = WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
    let watched = files.map(|file| add_watch(&events, file, flags).expect("watched"));
    run();
    let mut counts = BTreeMap::new();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(&events, &mut buffer);
    loop {
        match reader.next() {
            Ok(event) if event.events().contains(ReadFlags::OPEN) => {
                *counts.entry(event.wd()).or_default() += 1
            }
            Ok(_) => {}
            Err(Errno::WOULDBLOCK) => break,
            Err(error) => panic!("{error}"),
        }
    }
    watched.map(|file| counts.get(&file).copied().unwrap_or_default())
}

#[test]
fn token_with_an_expired_login_opens_each_file_as_often_as_with_a_valid_one() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let project = home.write("config/projects/p.yaml", "credential_set: default\n");
    let descriptor = home.paths.providers().join("acme.yaml");
    let (database, key) = (home.database(), home.data().join("store.key"));
    let files = || [&*project, &*descriptor, &*key, &*database];
    let token = || assert!(home.run(&["token", "p", "acme"]).status.success());

    home.logged_in(&issuer.login(), SignedDuration::from_hours(1));
    let valid = openings(files(), token);
    home.logged_in(&issuer.login(), EXPIRED);
    let expired = openings(files(), token);

    assert_eq!(issuer.exchanges(), 1, "the expired login was refreshed");
    assert_eq!(expired[..3], [1, 1, 1], "project, descriptor and key");
    assert_eq!(expired[3], valid[3], "the database");
}
