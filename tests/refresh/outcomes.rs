//! The outcomes of one refresh.

use std::{process::Stdio, time::Duration};

use authenticate::{
    credential::{Credential, Metadata, Owner},
    oauth::OAuthError,
    refresh::{RefreshError, Refreshed},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use test_support::{
    Issuer, Server, eventually,
    refresh::{EXPIRED, Home, access_token},
    runtime,
};

/// An identity token whose signature is not checked.
fn jwt(claims: &serde_json::Value) -> String {
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn new_tokens_are_stored_with_their_metadata() {
    let issuer = Issuer::start(&["--expires-in", "1800"]);
    let home = Home::new(&issuer.token_url());
    let metadata = Metadata { account: Some("dev@example.org".into()), ..Metadata::default() };
    let before = home.logged_in_as(&issuer.login(), EXPIRED, metadata);
    let Ok(Refreshed::Now(after)) = home.renew(&before, false) else { panic!("not refreshed") };
    let (Credential::OAuth(old), Credential::OAuth(new)) = (&before.credential, &after.credential) else {
        panic!("not OAuth");
    };
    assert_ne!(old.refresh_token, new.refresh_token);
    assert_eq!(after.metadata.account.as_deref(), Some("dev@example.org"));
    assert_eq!(after.metadata.scopes, ["openid", "profile", "email", "offline_access"]);
    let lasts = after.metadata.expires_at.expect("known").duration_since(Timestamp::now()).as_secs();
    assert!((1790..=1800).contains(&lasts), "{lasts}");
    assert_eq!(home.record(), after);
    assert!(matches!(home.renew(&after, false), Ok(Refreshed::Earlier(same)) if same == after), "not due");
}

#[test]
fn json_body_is_sent_if_the_descriptor_says_so() {
    let issuer = Issuer::start(&[]);
    let client = "app_EMoamEEZ73f0CkXaXp7hrann";
    let refresh =
        json!({"strategy": "oauth", "token_url": issuer.token_url(), "client_id": client, "body": "json"});
    let home = Home::described(json!({"refresh": refresh}));
    let record = home.logged_in(&issuer.login(), EXPIRED);
    assert!(matches!(home.renew(&record, false), Ok(Refreshed::Now(_))));
}

#[test]
fn missing_members_keep_their_value_except_the_expiry() {
    let server = Server::answering(Some((200, r#"{"access_token": "NEW", "token_type": "Bearer"}"#)));
    let home = Home::new(&server.url);
    let scopes = vec!["read".to_owned(), "write".to_owned()];
    let metadata =
        Metadata { account: Some("dev@example.org".into()), scopes: scopes.clone(), ..Metadata::default() };
    let tokens = json!({"access_token": "OLD", "refresh_token": "RRR"});
    let before = home.logged_in_as(&tokens, EXPIRED, metadata);
    let after = home.renew(&before, false).expect("refreshed").record();
    let Credential::OAuth(tokens) = &after.credential else { panic!("not OAuth") };
    assert_eq!(tokens.access_token.expose(), "NEW");
    assert_eq!(tokens.refresh_token.as_ref().expect("kept").expose(), "RRR");
    assert_eq!((&after.metadata.account, &after.metadata.scopes), (&before.metadata.account, &scopes));
    assert_eq!(after.metadata.expires_at, None, "the old token's says nothing of the new one");
}

#[test]
fn rejection_is_remembered_until_the_next_login() {
    let answer = r#"{"error": "invalid_grant", "error_description": "the login has ended"}"#;
    let server = Server::answering(Some((400, answer)));
    let home = Home::new(&server.url);
    let tokens = json!({"access_token": "OLD", "refresh_token": "RRR"});
    let record = home.logged_in(&tokens, EXPIRED);
    for _ in 0..3 {
        let Err(RefreshError::Refused { why, .. }) = home.renew(&record, false) else {
            panic!("not refused")
        };
        assert_eq!(why, "invalid_grant: the login has ended");
    }
    assert_eq!(server.bodies().len(), 1, "it was asked once");
    assert!(home.renew(&record, true).is_err());
    assert_eq!(server.bodies().len(), 2, "with force, again");
    let record = home.logged_in(&tokens, EXPIRED);
    assert!(home.renew(&record, false).is_err());
    assert_eq!(server.bodies().len(), 3, "a new login is a new chance");
}

#[test]
fn unreachable_server_changes_nothing() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let record = home.logged_in(&issuer.login(), EXPIRED);
    let (token_url, busy) = (issuer.token_url(), Server::answering(Some((503, "{}"))));
    drop(issuer);
    let asked = home.renew(&record, false);
    assert!(
        matches!(&asked, Err(RefreshError::Server { source: OAuthError::Unreachable { .. }, .. })),
        "{token_url}: {asked:?}"
    );
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None);
    let home = Home::new(&busy.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    for _ in 0..2 {
        let asked = home.renew(&record, false);
        assert!(
            matches!(&asked, Err(RefreshError::Server { source: OAuthError::Unavailable { .. }, .. })),
            "{asked:?}"
        );
    }
    assert_eq!(busy.bodies().len(), 2);
    assert_eq!(home.record(), record);
}

/// The request is wrong, and not the login (RFC 6749 section 5.2, RFC 8707 section 2).
#[test]
fn refused_request_does_not_end_the_login() {
    for code in [
        "invalid_client",
        "unauthorized_client",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unsupported_grant_type",
    ] {
        let server = Server::answering(Some((400, &format!(r#"{{"error": "{code}"}}"#))));
        let home = Home::new(&server.url);
        let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
        for asked in 1..=2 {
            let ran = home.run(&["token", "p", "acme"]);
            let said = String::from_utf8_lossy(&ran.stderr);
            assert_eq!(ran.status.code(), Some(4), "{said}");
            let why = format!("the vendor refused the request to refresh acme: refused: {code}");
            assert!(said.contains(&why) && said.contains("log in again with: authenticate p acme"), "{said}");
            assert_eq!(server.bodies().len(), asked, "once it is corrected, it works again");
        }
        assert_eq!(home.store().attempt(&home.address()).expect("read"), None, "{code}");
        let issuer = Issuer::start(&[]);
        home.renews_at(&issuer.token_url());
        home.logged_in(&issuer.login(), EXPIRED);
        assert!(matches!(home.renew(&home.record(), false), Ok(Refreshed::Now(_))), "{record:?}");
    }
}

/// A refusal that is no OAuth error response: whether the login has ended is not known.
#[test]
fn refusal_in_other_words_is_not_asked_for_again_and_again() {
    let server = Server::answering(Some((401, r#"{"detail": "Signature has expired."}"#)));
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let ends = |args: &[&str], code, hint: &str| {
        let ran = home.run(args);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        assert!(said.contains("(status 401)") && said.contains(hint), "{said}");
        assert!(said.contains("log in again with: authenticate p acme"), "{said}");
    };
    ends(&["token", "p", "acme"], 4, "check the client");
    ends(&["token", "p", "acme"], 7, "authenticate refresh p acme --force");
    assert_eq!(server.bodies().len(), 1);
    ends(&["refresh", "p", "acme", "--force"], 4, "check the client");
    assert_eq!(server.bodies().len(), 2);
}

#[test]
fn vendors_own_word_for_a_dead_token_is_remembered() {
    let server = Server::answering(Some((401, r#"{"error": {"code": "refresh_token_reused"}}"#)));
    let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "demo"});
    let home =
        Home::described(json!({"refresh": refresh, "dead_token_codes": ["refresh_token_reused", "other"]}));
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    for _ in 0..2 {
        assert!(matches!(home.renew(&record, false), Err(RefreshError::Refused { .. })));
    }
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn transient_refusal_is_not_remembered() {
    let server = Server::answering(Some((400, r#"{"error": "temporarily_unavailable"}"#)));
    let home = Home::new(&server.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    for asked in 1..=2 {
        assert!(matches!(home.renew(&record, false), Err(RefreshError::Server { .. })));
        assert_eq!(server.bodies().len(), asked);
    }
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None);
}

#[test]
fn token_is_not_sent_again_after_an_unusable_answer() {
    for answer in ["<html>", "{}", r#"{"id_token": "SSS"}"#] {
        let server = Server::answering(Some((200, answer)));
        let home = Home::new(&server.url);
        let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
        for _ in 0..2 {
            let asked = home.renew(&record, false);
            assert!(matches!(asked, Err(RefreshError::OutcomeUnknown { .. })), "{answer}: {asked:?}");
        }
        assert_eq!(server.bodies().len(), 1, "{answer}");
        assert_eq!(home.record(), record);
    }
}

#[test]
fn token_is_not_sent_again_without_an_answer() {
    let server = Server::answering(None);
    let home = Home::new(&server.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    for _ in 0..3 {
        assert!(matches!(home.renew(&record, false), Err(RefreshError::OutcomeUnknown { .. })));
    }
    assert_eq!(server.bodies().len(), 1);
    assert_eq!(home.record(), record);
    let _ = home.renew(&record, true);
    assert_eq!(server.bodies().len(), 2, "with force, again");
}

#[test]
fn unknown_outcome_stays_after_a_forced_try_fails() {
    let silent = Server::answering(None);
    let home = Home::new(&silent.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    assert!(matches!(home.renew(&record, false), Err(RefreshError::OutcomeUnknown { .. })));
    let known = home.store().attempt(&home.address()).expect("read");
    let busy = Server::answering(Some((503, "{}")));
    home.renews_at(&busy.url);
    assert!(matches!(home.renew(&record, true), Err(RefreshError::Server { .. })));
    assert_eq!(busy.bodies().len(), 1);
    assert!(matches!(home.renew(&record, false), Err(RefreshError::OutcomeUnknown { .. })));
    assert_eq!(busy.bodies().len(), 1, "the token was sent again");
    assert_eq!(home.store().attempt(&home.address()).expect("read"), known);
}

#[test]
fn store_key_is_read_before_the_token_is_sent() {
    let issuer = Issuer::start(&["--token-delay", "500"]);
    let home = Home::new(&issuer.token_url());
    let directory = home.paths.config().to_owned();
    std::fs::create_dir_all(&directory).expect("made");
    let count = directory.join("count");
    let script = format!("echo x >> '{}'; echo 'correct horse battery staple'", count.display());
    let settings = json!({"store": {"passphrase_command": ["sh", "-c", script]}});
    std::fs::write(directory.join("config.yaml"), settings.to_string()).expect("written");
    home.logged_in(&issuer.login(), EXPIRED);
    let fetched = || std::fs::read_to_string(&count).expect("counted").lines().count();
    let child = home.command(&["token", "p", "acme"]).env("PATH", "/usr/bin:/bin").spawn().expect("started");
    eventually("the exchange", || issuer.exchanges() == 1);
    let before = fetched();
    assert!(child.wait_with_output().expect("ended").status.success());
    assert_eq!(fetched(), before, "the key was fetched after the token was sent");
}

#[test]
fn signal_during_a_refresh_loses_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let issuer = Issuer::start(&["--token-delay", "500"]);
        let home = Home::new(&issuer.token_url());
        let before = home.logged_in(&issuer.login(), EXPIRED);
        let child = home.command(&["token", "p", "acme"]).stderr(Stdio::piped()).spawn().expect("started");
        eventually("the exchange", || issuer.exchanges() == 1);
        kill_process(Pid::from_raw(child.id().cast_signed()).expect("a process"), signal).expect("sent");
        let output = child.wait_with_output().expect("ended");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.contains("must not be lost"), "{signal:?}: {stderr}");
        assert_ne!(access_token(&home.record()), access_token(&before));
    }
}

#[test]
fn tokens_of_another_account_are_set_aside() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let metadata = Metadata { account: Some("other@example.org".into()), ..Metadata::default() };
    let mut tokens = issuer.login();
    tokens["id_token"] = jwt(&json!({"iss": "https://auth.example.org", "sub": "auth0|user-2"})).into();
    let record = home.logged_in_as(&tokens, EXPIRED, metadata);
    for _ in 0..2 {
        let other = home.renew(&record, false);
        assert!(
            matches!(&other, Err(RefreshError::SetAside { why, .. })
                if why == "they are of another account, dev@example.org in place of other@example.org"),
            "{other:?}"
        );
        let kept = home.record();
        assert_eq!((access_token(&kept), &kept.metadata), (access_token(&record), &record.metadata));
    }
    assert_eq!(issuer.exchanges(), 1);
}

#[test]
fn account_is_compared_by_subject_or_else_by_name() {
    let me = json!({"iss": "https://id.example", "sub": "1", "email": "me@example.org"});
    let renamed = json!({"iss": "https://id.example", "sub": "1", "email": "new@example.org"});
    let namesake = json!({"iss": "https://id.example", "sub": "2", "email": "me@example.org"});
    let elsewhere = json!({"iss": "https://other.example", "sub": "1", "email": "me@example.org"});
    let nameless = json!({"email": "me@example.org"});
    let other = json!({"email": "new@example.org"});
    for (before, now, found) in [
        (&me, &renamed, None),
        (&me, &nameless, None),
        (&me, &namesake, Some("2")),
        (&me, &elsewhere, Some("1")),
        (&nameless, &renamed, Some("new@example.org")),
        (&me, &other, Some("new@example.org")),
    ] {
        let answer = json!({"access_token": "NEW", "id_token": jwt(now)}).to_string();
        let server = Server::answering(Some((200, &answer)));
        let home = Home::new(&server.url);
        let metadata = Metadata { account: Some("me@example.org".into()), ..Metadata::default() };
        let tokens = json!({"access_token": "OLD", "refresh_token": "RRR", "id_token": jwt(before)});
        let record = home.logged_in_as(&tokens, EXPIRED, metadata);
        let refreshed = home.renew(&record, false);
        match (&refreshed, found) {
            (Ok(Refreshed::Now(_)), None) => {}
            (Err(RefreshError::SetAside { why, .. }), Some(expected)) => {
                assert!(why.contains(&format!("another account, {expected} in place of ")), "{why}");
            }
            _ => panic!("{before} {now}: {refreshed:?}"),
        }
    }
}

/// An access token that a map reads the account from, with no identity token beside it.
#[test]
fn equal_subject_of_access_tokens_excuses_another_name() {
    let claims = |sub: &str, email: &str| jwt(&json!({"sub": sub, "email": email}));
    for (sub, is_refreshed) in [("1", true), ("2", false)] {
        let answer = json!({"access_token": claims(sub, "new@example.org")}).to_string();
        let server = Server::answering(Some((200, &answer)));
        let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "demo"});
        let account = json!({"path": "/a", "as": "jwt_claim", "claim": "/email", "optional": true});
        let fields = json!({"access_token": "/a", "refresh_token": "/r", "account": account});
        let map = json!([{"file": "auth.json", "format": "json", "kind": "oauth", "fields": fields}]);
        let home = Home::described(json!({"refresh": refresh, "capture": map}));
        let metadata = Metadata { account: Some("me@example.org".into()), ..Metadata::default() };
        let tokens = json!({"access_token": claims("1", "me@example.org"), "refresh_token": "RRR"});
        let record = home.logged_in_as(&tokens, EXPIRED, metadata);
        let refreshed = home.renew(&record, false);
        assert_eq!(matches!(refreshed, Ok(Refreshed::Now(_))), is_refreshed, "{refreshed:?}");
    }
}

#[test]
fn login_during_a_refresh_wins() {
    let issuer = Issuer::start(&["--token-delay", "500"]);
    let home = &Home::new(&issuer.token_url());
    let record = &home.logged_in(&issuer.login(), EXPIRED);
    let next = std::thread::scope(|scope| {
        let refreshing = scope.spawn(move || home.renew(record, false));
        eventually("the exchange", || issuer.exchanges() == 1);
        let next = home.logged_in(&issuer.login(), SignedDuration::from_hours(1));
        let refreshed = refreshing.join().expect("ended").expect("no error");
        assert_eq!(refreshed, Refreshed::Earlier(next.clone()));
        next
    });
    assert_eq!(home.record(), next);
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None);
}

#[test]
fn answer_is_stored_even_if_the_caller_stops_waiting() {
    let issuer = Issuer::start(&["--token-delay", "300"]);
    let home = Home::new(&issuer.token_url());
    let record = home.logged_in(&issuer.login(), EXPIRED);
    runtime().block_on(async {
        tokio::select! {
            refreshed = home.renewing(&record, false) => panic!("too soon: {refreshed:?}"),
            () = async { while issuer.exchanges() == 0 { tokio::task::yield_now().await } } => {}
        }
        let stored = async {
            while home.record() == record {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), stored).await.expect("the answer is stored");
    });
    assert_ne!(access_token(&home.record()), access_token(&record));
}

/// A program may give up the runtime that it began with, and wait in another one.
#[test]
fn refresh_aborted_with_its_runtime_has_an_unknown_outcome() {
    let (server, _answer) = Server::held(200, "{}");
    let home = Home::new(&server.url);
    let tokens = json!({"access_token": "OLD", "refresh_token": "RRR"});
    let record = home.logged_in(&tokens, EXPIRED);
    let mut refreshing = Box::pin(home.renewing(&record, false));
    let first = runtime();
    first.block_on(async {
        tokio::select! {
            refreshed = &mut refreshing => panic!("too soon: {refreshed:?}"),
            () = async { while server.bodies().is_empty() { tokio::task::yield_now().await } } => {}
        }
    });
    drop(first);
    let refreshed = runtime().block_on(refreshing);
    assert!(matches!(refreshed, Err(RefreshError::OutcomeUnknown { .. })), "{refreshed:?}");
    let again = home.renew(&record, false);
    assert!(matches!(again, Err(RefreshError::OutcomeUnknown { .. })), "{again:?}");
    assert_eq!(server.bodies().len(), 1, "the token is not sent again");
}

#[test]
fn credential_without_a_method_is_not_refreshed() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let record = home.logged_in(&json!({"access_token": "OLD"}), EXPIRED);
    assert!(matches!(home.renew(&record, true), Err(RefreshError::NotRefreshable { .. })));
    let home = Home::described(json!({"refresh": {"strategy": "none"}}));
    let record = home.logged_in(&issuer.login(), EXPIRED);
    assert!(matches!(home.renew(&record, true), Err(RefreshError::NotRefreshable { .. })));
    let home = Home::new(&issuer.token_url());
    let vendors = Metadata { owner: Owner::Vendor, ..Metadata::default() };
    let record = home.logged_in_as(&issuer.login(), EXPIRED, vendors);
    assert!(matches!(home.renew(&record, true), Err(RefreshError::NotRefreshable { .. })));
    assert_eq!(issuer.requests("/oauth/token"), [0; 0]);
}
