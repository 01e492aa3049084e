//! `logout` and `revoke`, with a vendor that revokes.

use std::{
    process::Stdio,
    sync::{Arc, OnceLock},
};

use authenticate::{
    Address, Credential, Metadata, Paths,
    store::{FILE_NAME, Store},
};
use serde_json::{Value, json};
use test_support::{
    Issuer, Server, Stub, eventually, json_reply,
    refresh::{EXPIRED, Home},
};

fn home(url: &str) -> Home {
    Home::described(json!({"revoke": {"url": url, "client_id": "app_EMoamEEZ73f0CkXaXp7hrann"}}))
}

fn is_stored(home: &Home) -> bool {
    home.store().get(&home.address()).expect("read").is_some()
}

#[test]
fn logout_revokes_first() {
    let issuer = Issuer::start(&[]);
    let home = home(&issuer.url("/oauth/revoke"));
    home.logged_in(&issuer.login(), EXPIRED);
    let ran = home.run(&["logout", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(0));
    let said = String::from_utf8(ran.stderr).expect("text");
    assert_eq!(said, "removed acme from this machine; revoked it at the vendor\n");
    assert!(!is_stored(&home));
    assert_eq!((issuer.ended(), issuer.requests("/oauth/revoke")), (1, vec![200, 200]));
}

#[test]
fn refresh_token_is_revoked_before_the_access_token() {
    let server = Server::answering(Some((200, "")));
    let home = home(&server.url);
    home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
    assert!(home.run(&["revoke", "p", "acme"]).status.success());
    assert!(!is_stored(&home), "revoked is removed");
    let bodies = server.bodies();
    assert!(
        bodies[0].contains("token=RRR") && bodies[0].contains("token_type_hint=refresh_token"),
        "{bodies:?}"
    );
    assert!(
        bodies[1].contains("token=AAA") && bodies[1].contains("token_type_hint=access_token"),
        "{bodies:?}"
    );
}

#[test]
fn login_that_is_stored_while_another_is_revoked_is_kept() {
    let place = Arc::new(OnceLock::<(Paths, Address)>::new());
    let seen = place.clone();
    let server = Stub::that(move |_| {
        let (paths, address) = seen.get().expect("set");
        let new = Credential::api_key("the new login");
        Store::open(paths)
            .and_then(|mut store| store.put(address, &new, &Metadata::default()))
            .expect("stored");
        json_reply(200, "")
    });
    let home = home(&server.url("/revoke"));
    home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
    place.set((home.paths.clone(), home.address())).expect("once");
    let ran = home.run(&["logout", "p", "acme"]);
    let said = String::from_utf8(ran.stderr).expect("text");
    assert_eq!(ran.status.code(), Some(8), "{said}");
    assert!(said.contains("acme was replaced meanwhile, and the new credential is kept"), "{said}");
    assert!(said.contains("authenticate logout p acme\n"), "{said}");
    assert_eq!(home.record().credential, Credential::api_key("the new login"));
}

#[test]
fn unreachable_vendor_does_not_prevent_a_logout() {
    let issuer = Issuer::start(&[]);
    let (tokens, url) = (issuer.login(), issuer.url("/oauth/revoke"));
    drop(issuer);
    let home = home(&url);
    home.logged_in(&tokens, EXPIRED);
    let ran = home.run(&["revoke", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(7));
    let said = String::from_utf8(ran.stderr).expect("text");
    assert!(said.contains("acme was not revoked, and is kept"), "{said}");
    assert!(is_stored(&home));

    let ran = home.run(&["logout", "p", "acme", "--json"]);
    assert_eq!(ran.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!((&report["removed"], &report["revocation"]), (&json!(true), &json!("failed")));
    assert!(!is_stored(&home));

    home.logged_in(&tokens, EXPIRED);
    let said = String::from_utf8(home.run(&["logout", "p", "acme"]).stderr).expect("text");
    assert!(said.contains("warning: acme was NOT revoked at the vendor, where it stays valid"), "{said}");
    assert!(!is_stored(&home));
}

/// Nobody must be given it any more.
#[test]
fn revoked_credential_is_removed_even_if_that_cannot_be_recorded() {
    let (server, answer) = Server::held(200, "");
    let home = home(&server.url);
    home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
    let child = home.command(&["logout", "p", "acme"]).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the first", || server.bodies().len() == 1);
    // A database with this trigger is not opened.
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON audit WHEN NEW.action = 'revoke'
                  BEGIN SELECT RAISE(FAIL, 'not this one'); END";
    let database = rusqlite::Connection::open(home.paths.data().join(FILE_NAME)).expect("opened");
    database.execute_batch(refuse).expect("refused");
    answer.send(()).and_then(|()| answer.send(())).expect("told");
    let ran = child.wait_with_output().expect("ended");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(server.bodies().len(), 2, "both tokens are revoked");
    database.execute_batch("DROP TRIGGER refuse").expect("gone");
    assert!(!is_stored(&home));
}

#[test]
fn revocation_is_reported_even_if_the_removal_fails() {
    let server = Server::answering(Some((200, "")));
    let home = home(&server.url);
    home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
    let database = rusqlite::Connection::open(home.paths.data().join(FILE_NAME)).expect("opened");
    // There is no next version.
    database.execute("UPDATE clock SET version = 9223372036854775807", []).expect("stopped");
    let ran = home.run(&["logout", "p", "acme"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(6), "{said}");
    assert!(
        said.contains("acme was revoked at the vendor, but could not be removed from this machine"),
        "{said}"
    );
    assert!(said.contains("clock.version"), "{said}");
    assert_eq!(server.bodies().len(), 2);
    assert!(is_stored(&home));
}

/// The vendor is there and says no (RFC 7009 section 2.2.1), with words for it or without.
#[test]
fn revoke_refused_by_the_vendor_exits_with_code_4() {
    let words = r#"{"error": "unsupported_token_type", "error_description": "not here"}"#;
    let without = "status 403";
    for (status, body, says) in
        [(400, words, "refused: unsupported_token_type: not here"), (403, "", without)]
    {
        let server = Server::answering(Some((status, body)));
        let home = home(&server.url);
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let ran = home.run(&["revoke", "p", "acme"]);
        let said = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(4), "{said}");
        for part in [
            "acme was not revoked, and is kept: ",
            says,
            "hint: remove it from this machine anyway with: authenticate logout p acme;",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(is_stored(&home));
        let ran = home.run(&["logout", "p", "acme"]);
        let said = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(0), "{said}");
        assert!(
            said.contains("warning: acme was NOT revoked at the vendor, where it stays valid: "),
            "{said}"
        );
        assert!(said.contains(says), "{said}");
        assert!(
            said.ends_with("removed acme from this machine; the vendor refused to revoke it\n"),
            "{said}"
        );
        assert!(!is_stored(&home));
    }
}

#[test]
fn no_revoke_sends_nothing() {
    let issuer = Issuer::start(&[]);
    let home = home(&issuer.url("/oauth/revoke"));
    home.logged_in(&issuer.login(), EXPIRED);
    assert!(home.run(&["logout", "p", "acme", "--no-revoke"]).status.success());
    assert!(!is_stored(&home));
    assert_eq!(issuer.requests("/oauth/revoke"), [0; 0]);
}

/// Whoever has the access token could use it for as long as it lasts.
#[test]
fn access_token_is_revoked_even_if_the_refresh_token_is_refused() {
    let refused = r#"{"error": "unsupported_token_type", "error_description": "the first one"}"#;
    for second in [(200, ""), (400, r#"{"error": "invalid_request", "error_description": "the second one"}"#)]
    {
        let server = Server::answering_in_turn(&[(400, refused), second]);
        let home = home(&server.url);
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let ran = home.run(&["logout", "p", "acme"]);
        let said = String::from_utf8(ran.stderr).expect("text");
        assert!(said.contains("NOT revoked") && said.contains("the first one"), "{said}");
        assert!(!said.contains("the second one"), "{said}");
        let bodies = server.bodies();
        assert_eq!(bodies.len(), 2, "{bodies:?}");
        assert!(bodies[1].contains("token=AAA"), "{bodies:?}");
    }
}

#[test]
fn partial_revocation_names_the_revoked_token() {
    let refused = r#"{"error": "unsupported_token_type"}"#;
    for (answers, code, done, not) in [
        ([(200, ""), (503, "")], 7, "refresh token", "access token"),
        ([(400, refused), (200, "")], 4, "access token", "refresh token"),
    ] {
        let server = Server::answering_in_turn(&answers);
        let home = home(&server.url);
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let ran = home.run(&["revoke", "p", "acme"]);
        let said = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(code), "{said}");
        let says =
            format!("acme was revoked in part, and is kept: its {done} was revoked, its {not} was NOT: ");
        assert!(said.contains(&says), "{said}");
        assert!(is_stored(&home));
        let server = Server::answering_in_turn(&answers);
        let home = self::home(&server.url);
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let ran = home.run(&["logout", "p", "acme", "--json"]);
        let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert_eq!((&report["removed"], &report["revocation"]), (&json!(true), &json!("partial")));
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let server = Server::answering_in_turn(&answers);
        let home = self::home(&server.url);
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let said = String::from_utf8(home.run(&["logout", "p", "acme"]).stderr).expect("text");
        let says =
            format!("warning: the {not} of acme was NOT revoked at the vendor, where it stays valid: ");
        assert!(said.contains(&says), "{said}");
        let ends = format!("removed acme from this machine; the vendor revoked only its {done}\n");
        assert!(said.ends_with(&ends), "{said}");
    }
}

/// It says the same to a program as to a person, and each thing once.
#[test]
fn failed_revocation_is_reported_in_json() {
    let revoke = |home: &Home, code: i32| {
        home.logged_in(&json!({"access_token": "AAA", "refresh_token": "RRR"}), EXPIRED);
        let ran = home.run(&["revoke", "p", "acme", "--json"]);
        let said = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(code), "{said}");
        let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert_eq!((&report["schema"], &report["removed"]), (&json!(1), &json!(false)));
        assert_eq!((&report["provider"], &report["revocation"]), (&json!("acme"), &json!("failed")));
        let why = report["revocation_error"].as_str().expect("a text");
        assert_eq!(said.matches(why).count(), 1, "{said}");
        for part in why.split(": ") {
            assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
        }
        assert!(is_stored(home));
    };
    let words = r#"{"error": "unsupported_token_type", "error_description": "not here"}"#;
    let server = Server::answering(Some((400, words)));
    revoke(&home(&server.url), 4);
    revoke(&home(&Server::answering(Some((403, ""))).url), 4);
    revoke(&home(&Server::answering(Some((503, ""))).url), 7);
    let silent = Server::answering(None);
    revoke(&home(&silent.url), 7);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = format!("http://{}/revoke", listener.local_addr().expect("an address"));
    drop(listener);
    revoke(&home(&gone), 7);
    let unset = json!({"revoke": {"url": server.url, "client_id": "env:ACME_TEST_CLIENT"}});
    revoke(&Home::described(unset), 2);
}
