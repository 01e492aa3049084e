//! Storing the result of a login.

use std::sync::{Arc, Mutex};

use authenticate::oauth::TokenOrigin;
use test_support::{Home, Login, Stub, code, describe, json_reply, tokens};

fn acme(home: &Home, server: &Stub) {
    let url = server.url("/token");
    describe(
        home,
        "acme",
        &format!(
            "modes: [client_credentials]\nclient_credentials: {{token_url: '{url}', client_id: demo, client_secret: 'env:SECRET'}}"
        ),
    );
}

#[test]
fn answer_cannot_change_the_token_endpoint() {
    let reply = r#"{"access_token": "a", "refresh_token": "r", "tenant": "t1",
                    "login.token_url": "https://evil.example/token", "login.revocation_url": "https://evil.example/"}"#;
    let (home, server) = (Home::new(), Stub::that(move |_| json_reply(200, reply)));
    acme(&home, &server);
    home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::DONE);
    let (oauth, _) = tokens(&home, "acme");
    let origin = TokenOrigin::of(&oauth).expect("an origin");
    assert_eq!(origin.token_url.to_string(), server.url("/token"));
    assert_eq!(origin.revocation_url, None);
    assert_eq!(oauth.extra["tenant"].expose(), "t1");
}

/// A descriptor may name another server for revocation, but not after the login: the tokens are then already somebody's.
#[test]
fn tokens_are_revoked_at_their_issuer_or_where_the_descriptor_said_at_the_login() {
    let reply = r#"{"access_token": "a", "refresh_token": "r", "expires_in": 3600}"#;
    let (home, server) = (Home::new(), Stub::that(move |_| json_reply(200, reply)));
    let revoker = Stub::that(|_| json_reply(200, "{}"));
    let other = Stub::that(|_| json_reply(200, "{}"));
    let url = server.url("/token");
    let describe = |revoke: Option<String>| {
        let revoke = revoke.map(|url| format!("revoke: {{url: '{url}'}}\n")).unwrap_or_default();
        describe(
            &home,
            "acme",
            &format!(
                "modes: [client_credentials]\n{revoke}\
                 client_credentials: {{token_url: '{url}', client_id: demo, client_secret: 'env:SECRET'}}"
            ),
        );
    };
    let login = || home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::DONE);
    let run = |words: &[&str], exits| home.authenticate(words).env("SECRET", "s").exits(exits);
    // Named at the login, and still so, or not any more.
    for later in [Some(revoker.url("/revoke")), None, Some(other.url("/revoke"))] {
        describe(Some(revoker.url("/revoke")));
        login();
        describe(later);
        run(&["logout", "demo", "acme"], code::DONE).says("revoked it at the vendor");
    }
    assert_eq!(revoker.asked().len(), 6);
    // Named only later.
    describe(None);
    login();
    describe(Some(other.url("/revoke")));
    let why = format!(
        "its descriptor's revoke.url is at 127.0.0.1:{}, and 127.0.0.1:{} issued",
        other.port(),
        server.port()
    );
    run(&["revoke", "demo", "acme"], code::USAGE).says(&why);
    run(&["logout", "demo", "acme"], code::DONE).says("was NOT revoked at the vendor").says(&why);
    assert!(other.asked().is_empty(), "the tokens went to another server");
    // Corrected at the server that issued them.
    describe(None);
    login();
    describe(Some(server.url("/revoke")));
    run(&["logout", "demo", "acme"], code::DONE);
    assert_eq!(server.asked_at("/revoke").len(), 2);
}

#[test]
fn login_of_an_oauth_flow_can_be_refreshed() {
    for (mode, more) in [("client_credentials", ""), ("token_exchange", ", subject_token: 'env:SUBJECT'")] {
        let reply = r#"{"access_token": "a", "expires_in": 3600}"#;
        let (home, server) = (Home::new(), Stub::that(move |_| json_reply(200, reply)));
        let url = server.url("/token");
        let flow = format!("token_url: '{url}', client_id: demo, client_secret: 'env:SECRET'{more}");
        describe(&home, "acme", &format!("modes: [{mode}]\n{mode}: {{{flow}}}"));
        home.authenticate(["demo", "acme"]).env("SECRET", "s").env("SUBJECT", "t").exits(code::DONE);
        let status = home.authenticate(["status", "--json"]).exits(code::DONE).json();
        assert_eq!(status["credentials"][0]["refreshable"], true, "{mode}: {status}");
        assert_eq!(status["credentials"][0]["client_id"], "demo", "{mode}: {status}");
    }
}

#[test]
fn failed_login_keeps_the_previous_one() {
    let (home, good) = (Home::new(), Stub::that(|_| json_reply(200, r#"{"access_token": "good"}"#)));
    acme(&home, &good);
    home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::DONE);
    let before = tokens(&home, "acme");
    let bad = Stub::that(|_| json_reply(400, r#"{"error": "invalid_client"}"#));
    acme(&home, &bad);
    home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::LOGIN_FAILED);
    assert_eq!(tokens(&home, "acme"), before);
}

#[test]
fn unusable_store_is_an_error_before_the_flow() {
    let (home, server) = (Home::new(), Stub::that(|_| json_reply(200, r#"{"access_token": "a"}"#)));
    acme(&home, &server);
    home.write("data/credentials.db", "not a database");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(home.database(), mode).expect("mode");
    std::fs::set_permissions(home.data(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("mode");
    home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::STORE);
    assert!(server.asked().is_empty());
}

/// The audit log says who logged in, and who could not.
#[test]
fn login_is_recorded_however_it_ends() {
    let recorded = |home: &Home| -> Vec<String> {
        let log = home.authenticate(["log", "--json"]).exits(code::DONE).json();
        let entries = log["entries"].as_array().expect("a list").iter().rev();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        entries.map(|entry| format!("{} {}", text(&entry["action"]), text(&entry["outcome"]))).collect()
    };
    let (home, good) = (Home::new(), Stub::that(|_| json_reply(200, r#"{"access_token": "good"}"#)));
    acme(&home, &good);
    let login = |code| {
        home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code);
    };
    login(code::DONE);
    assert_eq!(recorded(&home), ["login ok"]);
    let refuses = Stub::that(|_| json_reply(400, r#"{"error": "invalid_client"}"#));
    acme(&home, &refuses);
    login(code::LOGIN_FAILED);
    let busy = Stub::that(|_| json_reply(503, "{}"));
    acme(&home, &busy);
    login(code::UNREACHABLE);
    home.authenticate(["demo", "acme"]).exits(code::USAGE).says("SECRET is not set");
    assert_eq!(recorded(&home), ["login ok", "login refused", "login server", "login configuration"]);
}

/// Tokens that are given out once are safe before it is asked how the account is called.
mod the_accounts_name {
    use super::*;
    use test_support::{Login, eventually, record};

    /// Gives a token, and never says whose it is.
    fn silent(home: &Home) -> Stub {
        let server = Stub::serving(|asked, connection| match asked.path.as_str() {
            "/token" => {
                let _ = std::io::Write::write_all(connection, &json_reply(200, r#"{"access_token": "a"}"#));
            }
            _ => {
                let _ = std::io::Read::read(connection, &mut [0]);
            }
        });
        let (token, me) = (server.url("/token"), server.url("/me"));
        let flow = format!("token_url: '{token}', client_id: demo, client_secret: 'env:SECRET'");
        let flow = format!("client_credentials: {{{flow}}}\naccount: {{url: '{me}', field: login}}");
        describe(home, "acme", &format!("modes: [client_credentials]\n{flow}"));
        server
    }

    #[test]
    fn login_killed_during_the_account_request_is_stored() {
        let home = Home::new();
        let server = silent(&home);
        let login = Login::start(home.authenticate(["demo", "acme"]).env("SECRET", "s"));
        eventually("it asks", || !server.asked_at("/me").is_empty());
        drop(login);
        assert_eq!(tokens(&home, "acme").0.access_token.expose(), "a");
    }

    #[test]
    fn account_request_can_be_cancelled_and_is_bounded() {
        let home = Home::new();
        let server = silent(&home);
        let login = Login::start(home.authenticate(["demo", "acme"]).env("SECRET", "s"));
        eventually("it asks", || !server.asked_at("/me").is_empty());
        login.signal(rustix::process::Signal::INT);
        let ended = login.exits(code::DONE);
        assert!(!ended.said.contains("no answer"), "{}", ended.said);
        assert!(record(&home, "acme").is_some());
        let waited = home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::DONE);
        waited.says("cannot get the account's name: no response in time");
    }
}

/// Somebody locks the database just when the server has given what is nowhere else.
#[test]
fn tokens_are_stored_once_a_locked_database_is_free() {
    let home = Home::new();
    home.stores("openai", "sk-0123456789abcdefghij");
    let locked = Arc::new(Mutex::new(None));
    let server = Stub::that({
        let (locked, database) = (locked.clone(), home.database());
        move |_| {
            let other = rusqlite::Connection::open(&database).expect("opened");
            other.execute_batch("BEGIN IMMEDIATE").expect("locked");
            *locked.lock().expect("alone") = Some(other);
            json_reply(200, r#"{"access_token": "a", "expires_in": 3600}"#)
        }
    });
    acme(&home, &server);
    let mut login = Login::start(home.authenticate(["demo", "acme"]).env("SECRET", "s"));
    login.says("cannot store the credential yet, trying again");
    drop(locked.lock().expect("alone").take());
    login.exits(code::DONE);
    assert_eq!(tokens(&home, "acme").0.access_token.expose(), "a");
    assert_eq!(server.asked().len(), 1);
}
