//! Logins at an OpenID provider, in a browser.

use std::{
    io::ErrorKind,
    net::{Ipv6Addr, TcpListener},
};

use authenticate::oauth::TokenOrigin;
use jiff::Timestamp;
use test_support::{
    Home, OpenId, Stub, chromium::Chromium, code, describe, eventually, json_reply, record, tokens,
};

const SCOPES: &str = "scopes: [openid, email, offline_access]";

fn acme(home: &Home, server: &OpenId) {
    let issuer = &server.issuer;
    describe(
        home,
        "acme",
        &format!(
            "modes: [browser, device]\n\
             browser: {{issuer: '{issuer}', client_id: demo, parameters: {{prompt: consent}}, {SCOPES}}}\n\
             device: {{issuer: '{issuer}', client_id: demo, {SCOPES}}}"
        ),
    );
}

#[test]
fn a_person_logs_in_in_the_browser() {
    let (home, server) = (Home::new(), OpenId::start());
    acme(&home, &server);
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--mode", "browser", "--timeout", "60s"]);
    let outcome = run.env("BROWSER", browser.command()).exits(code::DONE);
    outcome.says("stored oauth acme for dev@example.org");
    let (oauth, record) = tokens(&home, "acme");
    assert!(oauth.refresh_token.is_some() && oauth.id_token.is_some());
    assert_eq!(record.metadata.account.as_deref(), Some("dev@example.org"));
    assert_eq!(record.metadata.scopes, ["openid", "email", "offline_access"]);
    let lasts = record.metadata.expires_at.expect("an expiry").duration_since(Timestamp::now()).as_secs();
    assert!((3500..=3600).contains(&lasts), "{lasts}");
    assert_eq!(
        TokenOrigin::of(&oauth).expect("an origin").token_url.to_string(),
        format!("{}/token", server.issuer)
    );
    outcome.does_not_say(oauth.access_token.expose());
    assert!(browser.page().contains("You are logged in"), "{}", browser.page());
    assert_eq!(server.grants(), ["authorization_code"]);
}

/// A login whose redirect is to `localhost`, which the browser asks for at `::1` first.
fn at_localhost(home: &Home, server: &OpenId, port: u16) {
    let issuer = &server.issuer;
    describe(
        home,
        "acme",
        &format!(
            "modes: [browser]\nbrowser: {{issuer: '{issuer}', client_id: demo, redirect_host: localhost, \
             redirect_port: {port}, parameters: {{prompt: consent}}, {SCOPES}}}"
        ),
    );
}

#[test]
fn a_browser_comes_back_to_localhost() {
    let (home, server) = (Home::new(), OpenId::start());
    let free = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    at_localhost(&home, &server, port);
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--timeout", "60s"]);
    run.env("BROWSER", browser.command()).exits(code::DONE).says("stored oauth acme for dev@example.org");
    assert!(browser.page().contains("You are logged in"), "{}", browser.page());
}

#[test]
fn another_program_at_localhost_gets_nothing_of_a_login() {
    let (home, server) = (Home::new(), OpenId::start());
    let other = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a port");
    let port = other.local_addr().expect("an address").port();
    at_localhost(&home, &server, port);
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--timeout", "60s"]).env("BROWSER", browser.command());
    run.exits(code::BUSY).says(&format!("port {port} of [::1] is taken by "));
    other.set_nonblocking(true).expect("set");
    assert_eq!(other.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
    assert!(!home.path().join("opened").exists(), "no browser is sent there");
}

/// On a machine without IPv6, in a network of its own.
#[test]
fn a_machine_without_ipv6_has_one_address_of_localhost() {
    let (home, vendor) = (Home::new(), Stub::that(|_| json_reply(200, "{}")));
    describe(
        &home,
        "acme",
        &format!(
            "modes: [browser]\nbrowser: {{authorization_url: '{0}', token_url: '{0}', client_id: demo, \
             redirect_host: localhost}}",
            vendor.url("/")
        ),
    );
    let script = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; exec \"$0\" \"$@\"";
    let run = home.authenticate(["demo", "acme", "--timeout", "1s"]).env("BROWSER", "/bin/true");
    let outcome = run.inside(&["unshare", "--net", "--mount", "/bin/sh", "-c", script]);
    outcome.exits(code::LOGIN_FAILED).says("redirect_uri=http%3A%2F%2Flocalhost%3A").says("longer than 1 s");
}

#[test]
fn a_person_approves_a_code_in_the_browser() {
    let (home, server) = (Home::new(), OpenId::start());
    acme(&home, &server);
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--mode", "device", "--timeout", "60s", "--json"]);
    let outcome = run.env("BROWSER", browser.command()).exits(code::DONE);
    assert_eq!(outcome.json()["account"], "dev@example.org");
    assert!(
        outcome.stderr.contains("Never enter a code that you did not request yourself"),
        "{}",
        outcome.stderr
    );
    assert!(browser.opened().contains("user_code="), "the code is filled in: {}", browser.opened());
    assert!(tokens(&home, "acme").0.refresh_token.is_some());
    assert!(browser.page().contains("device approved"), "{}", browser.page());
}

#[test]
fn a_person_says_no_in_the_browser() {
    let (home, server) = (Home::new(), OpenId::start());
    acme(&home, &server);
    server.denies();
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--mode", "browser", "--timeout", "60s"]);
    let outcome = run.env("BROWSER", browser.command()).exits(code::LOGIN_FAILED);
    outcome.says("the login failed: refused: access_denied: the person said no");
    assert_eq!(record(&home, "acme"), None);
    assert!(browser.page().contains("The login has failed"), "{}", browser.page());
}

#[test]
fn a_person_says_no_to_a_code() {
    let (home, server) = (Home::new(), OpenId::start());
    acme(&home, &server);
    server.denies();
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--mode", "device", "--timeout", "60s"]);
    let outcome = run.env("BROWSER", browser.command()).exits(code::LOGIN_FAILED);
    outcome.says("access_denied");
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn a_login_is_refreshed_and_revoked_where_it_came_from_and_each_token_is_sent_once() {
    let (home, server) = (Home::new(), OpenId::whose_tokens_last(2));
    acme(&home, &server);
    let browser = Chromium::of(&home);
    let run = home.authenticate(["demo", "acme", "--mode", "browser", "--timeout", "60s"]);
    run.env("BROWSER", browser.command()).exits(code::DONE);
    let (before, old) = tokens(&home, "acme");
    eventually("the token has expired", || {
        old.metadata.expires_at.is_some_and(|end| end <= Timestamp::now())
    });
    // Another descriptor by now, which leads to another server: the token does not go there.
    let elsewhere = Stub::that(|_| json_reply(200, "{\"access_token\": \"x\"}"));
    describe(
        &home,
        "acme",
        &format!(
            "modes: [device]\n\
             device: {{device_authorization_url: '{0}', token_url: '{0}', client_id: demo}}\n\
             refresh: {{strategy: oauth, token_url: '{0}'}}",
            elsewhere.url("/token")
        ),
    );
    let token = home.authenticate(["token", "demo", "acme"]).exits(code::DONE);
    let (after, now) = tokens(&home, "acme");
    assert_eq!(token.stdout.trim(), after.access_token.expose());
    assert!(before.access_token != after.access_token && before.refresh_token != after.refresh_token);
    assert_eq!(now.metadata.account.as_deref(), Some("dev@example.org"));
    assert_eq!((server.refreshes(), server.stats()["reused"].as_bool()), (1, Some(false)));
    home.authenticate(["logout", "demo", "acme"]).exits(code::DONE).says("revoked it at the vendor");
    assert_eq!(server.stats()["revocations"], 2, "the refresh token and the access token");
    assert!(elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
}
