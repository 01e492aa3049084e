//! Audit log entries of refreshing, handing out and revoking.

use jiff::SignedDuration;
use serde_json::json;
use test_support::{
    Server,
    refresh::{EXPIRED, Home},
    runtime,
};

/// The entries since the last call, as `action outcome`, the oldest first.
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

fn refresh_server() -> Server {
    Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)))
}

#[test]
fn handed_out_secret_is_recorded() {
    let server = refresh_server();
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
fn key_stored_after_a_refresh_is_not_recorded_as_one() {
    let server = refresh_server();
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    let client = authenticate::Client::new(home.paths.clone());
    let options =
        authenticate::LoginOptions { api_key: Some("acme-0123456789".into()), ..Default::default() };
    let seen = &mut 1;
    runtime().block_on(async {
        client.refresh("acme", false).await.expect("refreshed");
        client.login("acme", options, &mut authenticate::cancel_pair().1).await.expect("stored");
    });
    assert_eq!(recorded(&home, seen), ["refresh ok", "store ok"]);
}

#[test]
fn secret_used_without_a_refresh_is_recorded_as_handed_out() {
    let home = Home::new(&Server::answering(Some((503, "{}"))).url);
    logged_in(&home, SignedDuration::from_secs(60));
    let seen = &mut 1;
    assert!(home.run(&["token", "p", "acme"]).status.success());
    assert_eq!(recorded(&home, seen), ["refresh server", "token ok"]);
}

#[test]
fn refused_secret_is_recorded_with_the_reason() {
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
fn check_without_the_secret_is_not_recorded() {
    let home = Home::new(&refresh_server().url);
    let client = authenticate::Client::new(home.paths.clone());
    logged_in(&home, SignedDuration::from_hours(1));
    let seen = &mut 1;
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("looked"));
    home.expire();
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("looked"));
    home.logged_in(&json!({"access_token": "OLD"}), EXPIRED);
    recorded(&home, seen);
    assert!(!runtime().block_on(client.is_authenticated("acme")).expect("looked"));
    assert_eq!(recorded(&home, seen), [""; 0]);
}

#[test]
fn refresh_is_recorded_however_it_ends() {
    for (answer, outcome) in [
        (Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)), "refresh ok"),
        (Some((400, r#"{"error": "invalid_grant"}"#)), "refresh refused"),
        (Some((503, "{}")), "refresh server"),
        (None, "refresh outcome_unknown"),
    ] {
        let home = Home::new(&Server::answering(answer).url);
        logged_in(&home, EXPIRED);
        home.run(&["refresh", "p", "acme"]);
        assert_eq!(recorded(&home, &mut 1), [outcome]);
    }
}

#[test]
fn revocation_is_recorded_however_it_ends() {
    for (answer, outcome) in [
        (Some((200, "")), "revoke ok"),
        (Some((400, r#"{"error": "invalid_request"}"#)), "revoke refused"),
        (Some((503, "")), "revoke server"),
    ] {
        let server = Server::answering(answer);
        let home = Home::described(json!({"revoke": {"url": server.url, "client_id": "app"}}));
        logged_in(&home, EXPIRED);
        assert!(home.run(&["logout", "p", "acme"]).status.success());
        assert_eq!(recorded(&home, &mut 1), [outcome, "remove ok"]);
    }
    // Nobody was asked.
    let home = Home::described(json!({}));
    logged_in(&home, EXPIRED);
    assert!(home.run(&["logout", "p", "acme"]).status.success());
    assert_eq!(recorded(&home, &mut 1), ["remove ok"]);
}

#[test]
fn untried_revocation_is_recorded_as_failed() {
    let server = Server::answering(Some((200, "")));
    let home = Home::described(json!({"revoke": {"url": server.url, "client_id": "app"}}));
    let file = home.paths.providers().join("acme.yaml");
    logged_in(&home, EXPIRED);
    std::fs::write(file, "typo: 1\n").expect("written");
    let seen = &mut 1;
    home.run(&["revoke", "p", "acme"]);
    assert_eq!(recorded(&home, seen), ["revoke configuration"]);
    home.run(&["logout", "p", "acme"]);
    assert_eq!(recorded(&home, seen), ["revoke configuration", "remove ok"]);
    logged_in(&home, EXPIRED);
    home.alter();
    recorded(&home, seen);
    home.run(&["logout", "p", "acme"]);
    assert_eq!(recorded(&home, seen), ["revoke altered", "remove ok"]);
}
