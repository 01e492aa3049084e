//! New tokens that do not fit their login: they are kept until a person decides.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use authenticate::{
    Metadata,
    credential::Credential,
    refresh::{RefreshError, Refreshed},
    store::FILE_NAME,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_support::{
    Server, eventually,
    refresh::{EXPIRED, Home, access_token},
    runtime,
};

const FEWER: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600, "scope": "read"}"#;
const NEXT: &str = r#"{"access_token": "NEXT", "refresh_token": "TTT", "expires_in": 3600}"#;

fn logged_in(home: &Home, left: SignedDuration) {
    let scopes = ["openid", "read", "write", "offline_access"].map(str::to_owned).into();
    let metadata = Metadata { scopes, ..Metadata::default() };
    home.logged_in_as(&json!({"access_token": "OLD", "refresh_token": "RRR"}), left, metadata);
}

/// Runs the program, which ends with this code and says this.
#[track_caller]
fn ends(home: &Home, args: &[&str], code: i32, parts: &[&str]) -> String {
    let ran = home.run(args);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{args:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!said.contains("NEW") && !said.contains("SSS"), "{said}");
    String::from_utf8(ran.stdout).expect("text")
}

fn status(home: &Home) -> Value {
    let status: Value = serde_json::from_str(&ends(home, &["status", "--json"], 0, &[])).expect("JSON");
    status["credentials"][0].clone()
}

#[test]
fn tokens_without_a_right_are_set_aside_until_they_are_accepted() {
    let server = Server::answering_in_turn(&[(200, FEWER), (200, NEXT)]);
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    let why = "the vendor's new tokens for acme were set aside: they lack the scopes write";
    let hint = "take them with: authenticate refresh p acme --accept; if not, log in again with: authenticate p acme";
    for _ in 0..2 {
        ends(&home, &["token", "p", "acme"], 3, &[why, hint]);
    }
    assert_eq!(server.bodies().len(), 1, "the spent token is not sent again");
    assert_eq!(access_token(&home.record()), "OLD");
    let known = status(&home);
    assert_eq!((&known["state"], &known["set_aside"]), (&json!("needs login"), &json!(true)));
    assert_eq!(
        known["refresh_problem"],
        "the vendor's new tokens were set aside: they lack the scopes write"
    );
    ends(&home, &["status", "p"], 0, &["acme: the vendor's new tokens were set aside: they lack", hint]);
    assert!(ends(&home, &["log"], 0, &[]).contains("set_aside"));

    ends(&home, &["refresh", "p", "--accept"], 2, &["--accept needs a provider"]);
    ends(&home, &["refresh", "p", "acme", "--accept"], 0, &["refreshed acme"]);
    assert_eq!(ends(&home, &["token", "p", "acme"], 0, &[]), "NEW\n");
    assert_eq!(home.record().metadata.scopes, ["read"]);
    assert_eq!(status(&home)["set_aside"], false);
    assert!(ends(&home, &["log"], 0, &[]).contains("accept"));
    ends(&home, &["refresh", "p", "acme", "--accept"], 2, &["no tokens were set aside for acme"]);
    home.expire();
    assert_eq!(ends(&home, &["token", "p", "acme"], 0, &[]), "NEXT\n");
    assert!(server.bodies()[1].contains("refresh_token=SSS"), "{:?}", server.bodies());
}

/// The refresh token is good even if nothing else in the response is.
#[test]
fn refresh_token_of_an_unusable_response_is_set_aside() {
    let no_success = r#"{"access_token": "ignored", "refresh_token": "SSS"}"#;
    for (status, answer) in [
        (200, r#"{"refresh_token": "SSS"}"#),
        (200, r#"{"access_token": "a b", "refresh_token": "SSS"}"#),
        (500, no_success),
    ] {
        let server = Server::answering_in_turn(&[(status, answer), (200, NEXT)]);
        let home = Home::new(&server.url);
        logged_in(&home, EXPIRED);
        ends(&home, &["token", "p", "acme"], 3, &["were set aside: the response cannot be used as it is"]);
        ends(&home, &["refresh", "p", "acme", "--accept"], 0, &[]);
        ends(&home, &["refresh", "p", "acme", "--force"], 0, &[]);
        assert_eq!(access_token(&home.record()), "NEXT", "{answer}");
        assert!(server.bodies()[1].contains("refresh_token=SSS"), "{:?}", server.bodies());
    }
}

#[test]
fn current_token_is_used_while_it_lasts() {
    let server = Server::answering(Some((200, FEWER)));
    let home = Home::new(&server.url);
    logged_in(&home, SignedDuration::from_secs(60));
    let used = &["using the current token until it expires", "were set aside", "--accept"];
    for says in [used.as_slice(), &[]] {
        assert_eq!(ends(&home, &["token", "p", "acme"], 0, says), "OLD\n");
    }
    assert_eq!(server.bodies().len(), 1);
    let client = authenticate::Client::new(home.paths.clone());
    let accepted = runtime().block_on(client.accept_refresh("acme")).expect("accepted");
    assert_eq!((access_token(&accepted), &home.record()), ("NEW".to_owned(), &accepted));
}

#[test]
fn scopes_that_are_no_right_may_be_missing() {
    let answer = r#"{"access_token": "NEW", "expires_in": 3600, "scope": "write,read"}"#;
    let server = Server::answering(Some((200, answer)));
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    assert!(matches!(home.renew(&home.record(), false), Ok(Refreshed::Now(_))));
}

#[test]
fn new_login_replaces_tokens_that_were_set_aside() {
    let server = Server::answering(Some((200, FEWER)));
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    assert!(matches!(home.renew(&home.record(), false), Err(RefreshError::SetAside { .. })));
    logged_in(&home, SignedDuration::from_hours(1));
    assert_eq!(
        (status(&home)["state"].clone(), status(&home)["set_aside"].clone()),
        (json!("ok"), json!(false))
    );
}

#[test]
fn forced_refresh_that_fits_replaces_tokens_that_were_set_aside() {
    let server = Server::answering_in_turn(&[(200, FEWER), (503, "{}"), (200, NEXT)]);
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    ends(&home, &["token", "p", "acme"], 3, &[]);
    ends(&home, &["refresh", "p", "acme", "--force"], 7, &[]);
    assert_eq!(status(&home)["set_aside"], true, "a try that failed loses nothing");
    ends(&home, &["refresh", "p", "acme", "--force"], 0, &[]);
    let Credential::OAuth(tokens) = home.record().credential else { panic!("not OAuth") };
    assert_eq!((tokens.access_token.expose(), tokens.extra.len()), ("NEXT", 0));
}

#[test]
fn logout_revokes_tokens_that_were_set_aside_too() {
    let server = Server::answering_in_turn(&[(200, FEWER), (200, "")]);
    let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "demo"});
    let home =
        Home::described(json!({"refresh": refresh, "revoke": {"url": server.url, "client_id": "demo"}}));
    logged_in(&home, EXPIRED);
    ends(&home, &["token", "p", "acme"], 3, &[]);
    ends(&home, &["logout", "p", "acme"], 0, &["revoked it at the vendor"]);
    let revoked: Vec<_> =
        server.bodies()[1..].iter().filter_map(|body| Some(body.split('&').next()?.to_owned())).collect();
    assert_eq!(revoked, ["token=RRR", "token=OLD", "token=SSS", "token=NEW"]);
}

/// Somebody locks the database just when the answer comes; then the process is killed, or can go on.
#[test]
fn tokens_are_set_aside_once_the_store_can_be_written() {
    for is_killed in [true, false] {
        let (server, answer) = Server::held(200, FEWER);
        let home = Home::new(&server.url);
        logged_in(&home, EXPIRED);
        let before = home.record();
        let mut command = home.command(&["token", "p", "acme"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("started");
        eventually("the exchange", || server.bodies().len() == 1);
        let other = rusqlite::Connection::open(home.paths.data().join(FILE_NAME)).expect("opened");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        answer.send(()).expect("told");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("cannot store the vendor's answer yet") {
            assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "{said}");
        }
        if is_killed {
            child.kill().expect("killed");
        }
        other.execute_batch("ROLLBACK").expect("unlocked");
        child.wait().expect("ended");
        let known = status(&home);
        assert_eq!(known["set_aside"], !is_killed, "{known}");
        if is_killed {
            assert_eq!(home.record(), before);
            let why = known["refresh_problem"].as_str().expect("explained");
            assert!(why.contains("ended before the vendor's answer was stored"), "{why}");
            let hint = "log in again with: authenticate p acme; or send the same refresh token again";
            ends(&home, &["status", "p"], 0, &["ended before the vendor's answer was stored", hint]);
        } else {
            ends(&home, &["refresh", "p", "acme", "--accept"], 0, &[]);
        }
    }
}

const PASSPHRASE: &str = "correct horse battery staple";

fn store(home: &Home, verb: &str, file: &str) {
    let file = home.path().join(file);
    let args = ["store", verb, file.to_str().expect("text"), "--passphrase-stdin"];
    let mut child =
        home.command(&args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    child.stdin.take().expect("stdin").write_all(PASSPHRASE.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn tokens_that_were_set_aside_survive_another_key_and_a_restore() {
    let server = Server::answering_in_turn(&[(200, FEWER), (200, NEXT)]);
    let home = Home::new(&server.url);
    logged_in(&home, EXPIRED);
    ends(&home, &["token", "p", "acme"], 3, &[]);
    ends(&home, &["store", "rekey"], 0, &[]);
    store(&home, "backup", "aside.age");
    home.store().remove(&home.address()).expect("removed");
    store(&home, "restore", "aside.age");
    ends(&home, &["token", "p", "acme"], 3, &["were set aside", "--accept"]);
    assert_eq!(server.bodies().len(), 1);
    ends(&home, &["refresh", "p", "acme", "--accept"], 0, &[]);
    assert_eq!(ends(&home, &["token", "p", "acme"], 0, &[]), "NEW\n");

    // They were accepted and exchanged since: the backup has them once more, and both of its refresh tokens are spent.
    ends(&home, &["refresh", "p", "acme", "--force"], 0, &[]);
    store(&home, "restore", "aside.age");
    let older = "the backup is older than the login that it replaced";
    ends(&home, &["token", "p", "acme"], 3, &[older]);
    ends(&home, &["refresh", "p", "acme", "--accept"], 3, &[older]);
    assert_eq!(server.bodies().len(), 2, "a spent token is not sent");
}
