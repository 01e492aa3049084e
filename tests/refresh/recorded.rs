//! What the audit log has of renewing, of handing out what was renewed, and of leaving.

use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{EXPIRED, Home, Server, runtime};

/// What was recorded since the last time, as `action outcome`, the oldest first.
fn recorded(home: &Home, seen: &mut usize) -> Vec<String> {
    let mut entries = home.store().audit_log(None, 1000).expect("read");
    entries.reverse();
    let new = entries.split_off(*seen);
    *seen += new.len();
    let of_acme = |entry: &authenticate::store::AuditEntry| entry.address.as_ref() == Some(&home.address());
    assert!(new.iter().all(of_acme), "{new:?}");
    new.into_iter().map(|entry| format!("{} {}", entry.action, entry.outcome)).collect()
}

fn logged_in(home: &Home, left: SignedDuration) {
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), left);
}

fn renewing() -> Server {
    Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)))
}

#[test]
fn a_secret_is_recorded_when_it_is_handed_out() {
    let server = renewing();
    let home = Home::new(&server.url);
    let client = authenticate::Client::new(home.paths.clone());
    let seen = &mut 0;
    let by_program = || assert!(home.run(&["token", "p", "acme"]).status.success());
    let by_library = || drop(runtime().block_on(client.credential("acme")).expect("found"));
    for hand_out in [&by_program as &dyn Fn(), &by_library] {
        logged_in(&home, EXPIRED);
        assert_eq!(recorded(&home, seen), ["store ok"]);
        hand_out();
        assert_eq!(recorded(&home, seen), ["refresh ok", "token ok"]);
        hand_out();
        assert_eq!(recorded(&home, seen), ["token ok"]);
    }
}

#[test]
fn one_that_is_used_as_it_is_while_it_lasts_is_handed_out_too() {
    let home = Home::new(&Server::answering(Some((503, "{}"))).url);
    logged_in(&home, SignedDuration::from_secs(60));
    let seen = &mut 1;
    assert!(home.run(&["token", "p", "acme"]).status.success());
    assert_eq!(recorded(&home, seen), ["refresh server", "token ok"]);
}

#[test]
fn one_that_is_not_handed_out_is_recorded_with_the_reason() {
    let home = Home::new(&Server::answering(Some((400, r#"{"error": "invalid_grant"}"#))).url);
    logged_in(&home, EXPIRED);
    let seen = &mut 1;
    assert_eq!(home.run(&["token", "p", "acme"]).status.code(), Some(3));
    assert_eq!(recorded(&home, seen), ["refresh refused", "token refused"]);
    home.logged_in(&json!({"access_token": "OLD"}), EXPIRED);
    recorded(&home, seen);
    assert_eq!(home.run(&["token", "p", "acme"]).status.code(), Some(3));
    assert_eq!(recorded(&home, seen), ["token expired"]);
}

#[test]
fn who_only_asks_whether_there_is_one_is_not_recorded() {
    let home = Home::new(&renewing().url);
    let client = authenticate::Client::new(home.paths.clone());
    logged_in(&home, SignedDuration::from_hours(1));
    let seen = &mut 1;
    assert!(client.is_authenticated("acme").expect("looked"));
    home.expire();
    assert!(client.is_authenticated("acme").expect("looked"));
    home.logged_in(&json!({"access_token": "OLD"}), EXPIRED);
    recorded(&home, seen);
    assert!(!client.is_authenticated("acme").expect("looked"));
    assert_eq!(recorded(&home, seen), [""; 0]);
}
