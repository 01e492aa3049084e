//! A backup holds the refresh tokens of its day: what was sent since is not sent again.

use std::{io::Write as _, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Stdio};

use authenticate::credential::{Address, Credential, Metadata};
use serde_json::json;
use test_support::{
    Issuer, Server,
    refresh::{EXPIRED, Home, access_token},
};

const PASSPHRASE: &str = "correct horse battery staple";

fn store(home: &Home, verb: &str) {
    let file = home.paths.data().join("backup.age");
    let args = ["store", verb, file.to_str().expect("text"), "--passphrase-stdin"];
    let mut child =
        home.command(&args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    child.stdin.take().expect("stdin").write_all(PASSPHRASE.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refused(home: &Home, says: &str) {
    let ran = home.run(&["token", "p", "acme"]);
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains(says), "{stderr}");
}

#[test]
fn token_refreshed_after_the_backup_is_not_sent() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    home.logged_in(&issuer.login(), EXPIRED);
    store(&home, "backup");
    assert!(home.run(&["token", "p", "acme"]).status.success());
    store(&home, "restore");
    refused(&home, "the backup is older than the login that it replaced");
    assert_eq!((issuer.exchanges(), issuer.ended()), (1, 0), "the family lives");
}

#[test]
fn conflict_mark_survives_restores_except_of_the_newest_login() {
    let issuer = Issuer::start(&["--expires-in", "0"]);
    let home = Home::new(&issuer.token_url());
    home.logged_in(&issuer.login(), EXPIRED);
    let renew = || assert!(home.run(&["refresh", "p", "acme", "--force"]).status.success());
    let marked = || refused(&home, "the backup is older than the login that it replaced");
    let back_up = |name: &str| {
        store(&home, "backup");
        std::fs::rename(home.paths.data().join("backup.age"), home.paths.data().join(name)).expect("moved");
    };
    let restore = |name: &str| {
        std::fs::copy(home.paths.data().join(name), home.paths.data().join("backup.age")).expect("copied");
        store(&home, "restore");
    };
    for name in ["first", "second", "third"] {
        back_up(name);
        renew();
    }
    back_up("last");
    for name in ["first", "third", "second"] {
        restore(name);
        marked();
    }
    restore("last");
    renew();
    assert_eq!((issuer.exchanges(), issuer.ended()), (4, 0), "no token came twice");
}

#[test]
fn known_failures_survive_a_restore() {
    let server = Server::answering(Some((400, r#"{"error": "invalid_grant"}"#)));
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    store(&home, "backup");
    refused(&home, "invalid_grant");
    store(&home, "restore");
    refused(&home, "invalid_grant");
    assert_eq!(server.bodies().len(), 1);
}

/// A backup brings along what was known where it was made, whatever the store that it replaces knows.
#[test]
fn known_failures_are_in_backups_and_kept_copies() {
    for (answer, says) in [
        (None, "the outcome of refreshing acme"),
        (Some((400, r#"{"error": "invalid_grant"}"#)), "invalid_grant"),
    ] {
        let server = Server::answering(answer);
        let home = Home::new(&server.url);
        let data = home.paths.data();
        let key = Address::default_profile("openai".parse().expect("a name"));
        home.store().put(&key, &Credential::api_key("kkk"), &Metadata::default()).expect("stored");
        store(&home, "backup");
        let without = std::fs::read(data.join("backup.age")).expect("read");
        home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
        refused(&home, says);
        // In the copy that is kept.
        store(&home, "restore");
        assert!(home.store().get(&home.address()).expect("read").is_none());
        let is_copy = |file: &PathBuf| file.to_string_lossy().contains("before-restore-");
        let mut files = std::fs::read_dir(data).expect("read").map(|entry| entry.expect("read").path());
        std::fs::copy(files.find(is_copy).expect("kept"), data.join("backup.age")).expect("copied");
        store(&home, "restore");
        refused(&home, says);
        // In a backup, on another machine.
        std::fs::remove_file(data.join("backup.age")).expect("removed");
        store(&home, "backup");
        let other = Home::new(&server.url);
        std::fs::create_dir_all(other.paths.data()).expect("made");
        std::fs::set_permissions(other.paths.data(), std::fs::Permissions::from_mode(0o700)).expect("closed");
        std::fs::copy(data.join("backup.age"), other.paths.data().join("backup.age")).expect("copied");
        store(&other, "restore");
        refused(&other, says);
        assert_eq!(server.bodies().len(), 1, "it was sent again");
        // Somewhere else it can be logged in to again.
        std::fs::write(other.paths.data().join("backup.age"), &without).expect("written");
        store(&other, "restore");
        other.logged_in(&json!({"access_token": "NEW", "refresh_token": "SSS"}), EXPIRED);
        refused(&other, says);
        assert_eq!(server.bodies().len(), 2);
    }
}

#[test]
fn unchanged_and_new_logins_are_refreshed_after_a_restore() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let before = home.logged_in(&issuer.login(), EXPIRED);
    store(&home, "backup");
    store(&home, "restore");
    assert!(home.run(&["token", "p", "acme"]).status.success());
    assert_ne!(access_token(&home.record()), access_token(&before));

    let other = Home::new(&issuer.token_url());
    other.logged_in(&issuer.login(), EXPIRED);
    store(&other, "backup");
    other.store().remove(&other.address()).expect("removed");
    store(&other, "restore");
    assert!(other.run(&["token", "p", "acme"]).status.success());
    assert_eq!((issuer.exchanges(), issuer.ended()), (2, 0));
}
