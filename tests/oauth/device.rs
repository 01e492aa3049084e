//! The device flow: what is shown, and how it ends.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use rustix::process::Signal;
use test_support::{Home, Login, Stub, code, describe, eventually, json_reply, pty::Session, record, tokens};

const PENDING: &str = r#"{"error": "authorization_pending"}"#;
const TOKENS: &str = r#"{"access_token": "the-token", "scope": "repo,gist"}"#;

fn codes(url: &str, more: &str) -> String {
    format!(
        r#"{{"device_code": "CANARY-device", "user_code": "WDJB-MJHT", "verification_uri": "{url}", "expires_in": 900,
            "interval": 1{more}}}"#
    )
}

/// A vendor that gives a code, and then answers polls in turn; the last answer again and again.
fn vendor(more: &'static str, polls: &'static [(u16, &'static str)]) -> Stub {
    let count = AtomicUsize::new(0);
    Stub::that(move |asked| match asked.path.as_str() {
        "/device" => json_reply(200, &codes("https://acme.example/activate", more)),
        _ => {
            let index = count.fetch_add(1, Ordering::SeqCst).min(polls.len() - 1);
            json_reply(polls[index].0, polls[index].1)
        }
    })
}

fn acme(home: &Home, vendor: &Stub) {
    let (device, token) = (vendor.url("/device"), vendor.url("/token"));
    describe(
        home,
        "acme",
        &format!(
            "modes: [device]\ndevice: {{device_authorization_url: '{device}', token_url: '{token}', client_id: demo, \
             scopes: [repo]}}"
        ),
    );
}

#[test]
fn code_is_shown_until_it_is_confirmed() {
    let (home, vendor) = (Home::new(), vendor("", &[(400, PENDING), (200, PENDING), (200, TOKENS)]));
    acme(&home, &vendor);
    let outcome = home.authenticate(["demo", "acme"]).exits(code::DONE);
    outcome
        .says("log in at: https://acme.example/activate")
        .says("\n    WDJB-MJHT\n")
        .says("The code expires in 15 min.")
        .says("Never enter a code that you did not request yourself")
        .does_not_say("CANARY");
    assert_eq!(tokens(&home, "acme").1.metadata.scopes, ["repo", "gist"]);
    let started = vendor.asked_at("/device");
    assert_eq!(started[0].parameter("client_id").as_deref(), Some("demo"));
    assert_eq!(started[0].parameter("scope").as_deref(), Some("repo"));
    let polls = vendor.asked_at("/token");
    assert_eq!(polls.len(), 3);
    assert_eq!(polls[0].parameter("device_code").as_deref(), Some("CANARY-device"));
    let grant = polls[0].parameter("grant_type");
    assert_eq!(grant.as_deref(), Some("urn:ietf:params:oauth:grant-type:device_code"));
}

#[test]
fn unavailable_server_is_polled_again() {
    let polls = &[(400, PENDING), (503, ""), (502, ""), (200, TOKENS)];
    let (home, vendor) = (Home::new(), vendor("", polls));
    acme(&home, &vendor);
    home.authenticate(["demo", "acme"]).exits(code::DONE);
    assert_eq!(vendor.asked_at("/token").len(), 4);
}

#[test]
fn failure_of_a_poll_is_said_once_and_the_login_goes_on() {
    let polls = &[(500, "oops"), (500, "oops"), (400, PENDING), (200, TOKENS)];
    let (home, vendor) = (Home::new(), vendor("", polls));
    acme(&home, &vendor);
    let outcome = home.authenticate(["demo", "acme"]).exits(code::DONE);
    outcome.says("is unavailable (status 500); asking again until the code expires");
    assert_eq!(outcome.stderr.matches("status 500").count(), 1, "{}", outcome.stderr);
}

#[test]
fn lost_answer_is_said_when_the_code_is_used_up() {
    let polls = &[(502, ""), (400, r#"{"error": "invalid_grant"}"#)];
    let (home, vendor) = (Home::new(), vendor("", polls));
    acme(&home, &vendor);
    home.authenticate(["demo", "acme"])
        .exits(code::LOGIN_FAILED)
        .says("so the outcome of the request is unknown")
        .says("the tokens of this login may have been in an answer that was lost")
        .says("refused: invalid_grant");
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn opened_address_is_of_the_shown_ones_origin() {
    let long = format!("https://acme.example/activate?c={}", "x".repeat(20_000));
    for (complete, opened) in [
        (long.as_str(), long.as_str()),
        ("https://evil.example/activate?c=WDJB", "https://acme.example/activate"),
        ("https://acme.example:8443/activate?c=WDJB", "https://acme.example/activate"),
        ("http://127.0.0.1:8080/x", "https://acme.example/activate"),
        ("nonsense", "https://acme.example/activate"),
    ] {
        let home = Home::new();
        let script = format!(
            "#!/bin/sh\nprintf %s \"$1\" >{0}.part && mv {0}.part {0}\n",
            home.path().join("opened").display()
        );
        let browser = home.write("browser", &script);
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).expect("mode");
        let more: &'static str = Box::leak(format!(r#", "verification_uri_complete": "{complete}""#).into());
        let vendor = vendor(more, &[(400, PENDING)]);
        acme(&home, &vendor);
        let mut login = Login::start(home.authenticate(["demo", "acme"]).env("BROWSER", &browser));
        assert_eq!(login.url().as_str(), "https://acme.example/activate");
        eventually("the browser is opened", || home.path().join("opened").exists());
        assert_eq!(std::fs::read_to_string(home.path().join("opened")).expect("readable"), opened);
    }
}

#[test]
fn refusal_ends_the_login() {
    for (status, answer, says) in [
        (400, r#"{"error": "access_denied"}"#, "refused: access_denied"),
        (400, r#"{"error": "expired_token"}"#, "refused: expired_token"),
        (
            400,
            r#"{"error": "invalid_grant", "error_description": "no CANARY-device"}"#,
            "refused: invalid_grant: no [..]",
        ),
        (401, r#"{"error": {"code": "no_such_app", "message": "who?"}}"#, "refused: no_such_app: who?"),
    ] {
        let home = Home::new();
        let polls: &'static [_] = Box::leak(Box::new([(status, answer)]));
        let vendor = vendor("", polls);
        acme(&home, &vendor);
        home.authenticate(["demo", "acme"]).exits(code::LOGIN_FAILED).says(says).does_not_say("CANARY");
        assert_eq!(record(&home, "acme"), None);
    }
}

#[test]
fn malformed_answer_ends_the_login() {
    let (home, vendor) = (Home::new(), vendor("", &[(404, "<html>")]));
    acme(&home, &vendor);
    home.authenticate(["demo", "acme"])
        .exits(code::UNREACHABLE)
        .says("it is not a response of an authorization server");
    assert_eq!(vendor.asked_at("/token").len(), 1);
}

#[test]
fn unsafe_code_or_url_is_not_shown() {
    for (from, to) in [
        ("WDJB-MJHT", "\\u001b[2JCANARY"),
        ("WDJB-MJHT", ""),
        ("https://acme.example/activate", "http://acme.example/activate"),
        ("https://acme.example/activate", "javascript:alert(1)"),
        ("https://acme.example/activate", "nonsense"),
    ] {
        let home = Home::new();
        let vendor = Stub::that(move |_| {
            json_reply(200, &codes("https://acme.example/activate", "").replace(from, to))
        });
        acme(&home, &vendor);
        let outcome = home.authenticate(["demo", "acme"]).exits(code::UNREACHABLE);
        outcome.says("unusable response from").does_not_say("CANARY").does_not_say("alert");
        assert!(vendor.asked_at("/token").is_empty());
    }
}

#[test]
fn complete_url_is_the_qr_code_and_the_code_is_copied() {
    let more = r#", "verification_uri_complete": "https://acme.example/activate?c=WDJB""#;
    let (home, vendor) = (Home::new(), vendor(more, &[(400, PENDING), (200, TOKENS)]));
    acme(&home, &vendor);
    let session = Session::start(&home, ["demo", "acme", "--qr", "--copy"], &[]);
    session.shows("WDJB-MJHT").shows("█");
    // OSC 52 with the code in base64.
    session.shows("\x1b]52;c;V0RKQi1NSkhU\x07").shows("The terminal was asked to copy the code");
    session.exits(code::DONE);
}

#[test]
fn without_a_terminal_nothing_is_copied() {
    let (home, vendor) = (Home::new(), vendor("", &[(200, TOKENS)]));
    acme(&home, &vendor);
    // Escape codes in a pipe would be noticed.
    home.authenticate(["demo", "acme", "--copy"]).exits(code::DONE);
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let (home, vendor) = (Home::new(), vendor("", &[(400, PENDING)]));
        acme(&home, &vendor);
        let mut login = Login::start(home.authenticate(["demo", "acme"]));
        login.says("WDJB-MJHT");
        login.signal(signal);
        login.exits(code::INTERRUPTED);
        assert_eq!(record(&home, "acme"), None);
        assert_eq!(std::fs::read_dir(home.data().join("logins")).expect("logins").count(), 0);
    }
}

#[test]
fn time_limit_ends_the_login() {
    let (home, vendor) = (Home::new(), vendor("", &[(400, PENDING)]));
    acme(&home, &vendor);
    let run = home.authenticate(["demo", "acme", "--timeout", "1s"]);
    run.exits(code::LOGIN_FAILED).says("the login took longer than 1 s");
}

#[test]
fn second_login_for_the_same_credential_names_the_first() {
    let (home, vendor) = (Home::new(), vendor("", &[(400, PENDING)]));
    acme(&home, &vendor);
    let mut first = Login::start(home.authenticate(["demo", "acme"]));
    first.says("WDJB-MJHT");
    let second = home.authenticate(["demo", "acme"]).exits(code::BUSY);
    second.says(&format!("process {}", first.pid()));
    assert_eq!(vendor.asked_at("/device").len(), 1);
    first.signal(Signal::INT);
    first.exits(code::INTERRUPTED);
}

#[test]
fn killed_login_blocks_no_other() {
    let (home, vendor) = (Home::new(), vendor("", &[(400, PENDING), (200, TOKENS)]));
    acme(&home, &vendor);
    let mut first = Login::start(home.authenticate(["demo", "acme"]));
    first.says("WDJB-MJHT");
    drop(first);
    home.authenticate(["demo", "acme"]).exits(code::DONE);
    assert_eq!(std::fs::read_dir(home.data().join("logins")).expect("logins").count(), 0);
}
