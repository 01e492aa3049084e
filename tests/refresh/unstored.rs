//! Answers that cannot be stored when they come.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
};

use authenticate::{
    refresh::RefreshError,
    store::{AttemptState, FILE_NAME},
};
use jiff::SignedDuration;
use serde_json::json;
use test_support::{
    Server, code, eventually,
    refresh::{EXPIRED, Home, access_token},
};

const ANSWER: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;

fn logged_in(home: &Home) {
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
}

fn database(home: &Home) -> rusqlite::Connection {
    rusqlite::Connection::open(home.paths.data().join(FILE_NAME)).expect("opened")
}

/// Waits until it says that it tries on, then lets it, and sees that nothing was lost.
fn stored_in_the_end(home: &Home, mut child: Child, let_it: impl FnOnce()) {
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("cannot store the vendor's answer yet, trying again") {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "it did not try on: {said}");
    }
    let_it();
    stderr.read_to_string(&mut said).expect("text");
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "NEW\n");
    assert_eq!(access_token(&home.record()), "NEW");
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None);
}

#[test]
fn answer_is_stored_once_a_locked_database_is_free() {
    let (server, answer) = Server::held(200, ANSWER);
    let home = Home::new(&server.url);
    logged_in(&home);
    let mut command = home.command(&["token", "p", "acme"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    let other = database(&home);
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    answer.send(()).expect("told");
    stored_in_the_end(&home, child, || other.execute_batch("ROLLBACK").expect("unlocked"));
}

#[cfg(target_os = "linux")]
#[test]
fn answer_is_stored_once_the_disk_has_room() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    let (server, answer) = Server::held(200, ANSWER);
    let home = Home::new(&server.url);
    logged_in(&home);
    let mut command = home.command(&["token", "p", "acme"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    let (process, maximum) = (Pid::from_child(&child), getrlimit(Resource::Fsize).maximum);
    let room = |most| {
        prlimit(Some(process), Resource::Fsize, Rlimit { current: most, maximum }).expect("limited");
    };
    room(Some(0));
    answer.send(()).expect("told");
    stored_in_the_end(&home, child, || room(maximum));
}

/// A refresh whose answer could not be stored is not made; a token that still lasts is handed out.
#[test]
fn nothing_is_sent_where_nothing_can_be_written() {
    let server = Server::answering(Some((200, ANSWER)));
    let home = Home::new(&server.url);
    let tokens = json!({"access_token": "OLD", "refresh_token": "RRR"});
    let set_mode = |mode| fs::set_permissions(home.data(), Permissions::from_mode(mode)).expect("mode");
    let token = || home.authenticate(["token", "p", "acme"]).without_privileges();
    let why = format!("cannot use {}", home.data().display());
    for (left, code) in [(SignedDuration::from_secs(60), code::DONE), (EXPIRED, code::STORE)] {
        home.logged_in(&tokens, left);
        set_mode(0o500);
        let outcome = token().exits(code);
        assert!(outcome.stderr.contains(&why), "{outcome:?}");
        assert_eq!(outcome.stdout, if code == code::DONE { "OLD\n" } else { "" });
        set_mode(0o700);
    }
    assert!(server.bodies().is_empty());
    let full = home.authenticate(["token", "p", "acme"]).without_room().exits(code::STORE);
    full.says("(ulimit -f)");
    assert!(server.bodies().is_empty());
}

#[test]
fn rejection_is_reported_even_if_it_cannot_be_recorded() {
    let (server, answer) = Server::held(400, r#"{"error": "invalid_grant"}"#);
    let home = Home::new(&server.url);
    logged_in(&home);
    let mut command = home.command(&["token", "p", "acme"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    // A database with these triggers is not opened.
    for event in ["INSERT", "UPDATE"] {
        let refuse = format!(
            "CREATE TRIGGER refuse_{event} BEFORE {event} ON exchange WHEN NEW.state = 'refused'
             BEGIN SELECT RAISE(FAIL, 'not this one'); END"
        );
        database(&home).execute_batch(&refuse).expect("refused");
    }
    answer.send(()).expect("told");
    let output = child.wait_with_output().expect("ended");
    let stderr = String::from_utf8_lossy(&output.stderr);
    database(&home).execute_batch("DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_UPDATE").expect("gone");
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("the vendor has rejected the refresh token of acme: invalid_grant"), "{stderr}");
    let again = home.renew(&home.record(), false);
    assert!(matches!(again, Err(RefreshError::OutcomeUnknown { .. })), "{again:?}");
    assert_eq!(server.bodies().len(), 1, "the token was not sent again");
}

#[test]
fn answer_that_cannot_be_stored_is_handed_out_and_marked_unknown() {
    let server = Server::answering(Some((200, ANSWER)));
    let home = Home::new(&server.url);
    logged_in(&home);
    // There is no next version.
    database(&home).execute("UPDATE clock SET version = 9223372036854775807", []).expect("stopped");
    let output = home.run(&["token", "p", "acme"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "NEW\n");
    assert!(stderr.contains("acme was refreshed, but the new tokens could not be stored: "), "{stderr}");
    assert!(stderr.contains("log in again"), "{stderr}");
    let known = home.store().attempt(&home.address()).expect("read").expect("recorded");
    assert_eq!(known.state, AttemptState::Unknown);
    assert!(known.why.expect("a reason").starts_with("cannot store the vendor's answer: "));
    assert!(matches!(home.renew(&home.record(), false), Err(RefreshError::OutcomeUnknown { .. })));
    assert_eq!(server.bodies().len(), 1, "the token was not sent again");
    let output = home.run(&["refresh", "p", "acme", "--force"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("could not be stored") && !stderr.contains("NEW"), "{stderr}");
}
