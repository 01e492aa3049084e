//! A login is renewed as it was requested.

use std::sync::atomic::{AtomicUsize, Ordering};

use authenticate::{
    credential::{Address, Credential},
    oauth::TokenOrigin,
    store::Store,
};
use test_support::{Home, Outcome, Stub, code, describe, json_reply, stub::Asked, tokens};

const CODE: &str = r#"{"device_code": "d", "user_code": "AAAA-BBBB", "verification_uri": "https://id.example/device",
    "expires_in": 899, "interval": 1}"#;

/// A server of a device flow that gives these answers to token requests, and the last one for ever.
fn server(answers: &'static [&'static str]) -> Stub {
    let count = AtomicUsize::new(0);
    Stub::that(move |asked| match asked.path.as_str() {
        "/code" => json_reply(200, CODE),
        _ => json_reply(200, answers[count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)]),
    })
}

fn acme(home: &Home, server: &Stub, fields: &str) {
    let (code, token) = (server.url("/code"), server.url("/token"));
    let flow = format!("client_id: demo, device_authorization_url: '{code}', token_url: '{token}', {fields}");
    describe(home, "acme", &format!("modes: [device]\ndevice: {{{flow}}}"));
}

fn renew(home: &Home, exits: u8) -> Outcome {
    home.authenticate(["refresh", "demo", "acme", "--force"]).exits(exits)
}

fn last(server: &Stub) -> Asked {
    server.asked().pop().expect("asked")
}

const FIRST: &str = r#"{"access_token": "a", "refresh_token": "r", "expires_in": 3600}"#;
const NAMED: &str =
    r#"{"access_token": "a", "refresh_token": "r", "expires_in": 3600, "scope": "read write email"}"#;
const FEWER: &str = r#"{"access_token": "b", "refresh_token": "s", "expires_in": 3600, "scope": "read"}"#;

#[test]
fn renewal_repeats_the_parameters_of_its_login_whatever_the_descriptor_says_by_then() {
    let (home, server) = (Home::new(), server(&[FIRST, FIRST, NAMED, NAMED, FEWER]));
    acme(
        &home,
        &server,
        "scopes: [openid, read, offline_access], parameters: {prompt: consent, resource: 'https://api.example'}, \
         token_parameters: {organization: o-1}",
    );
    home.authenticate(["demo", "acme"]).exits(code::DONE);
    acme(&home, &server, "scopes: [other], token_parameters: {organization: o-2}");
    let expect = |scope: &str| {
        let asked = last(&server);
        for (name, value) in [
            ("grant_type", Some("refresh_token")),
            ("refresh_token", Some("r")),
            ("scope", Some(scope)),
            ("resource", Some("https://api.example")),
            ("organization", Some("o-1")),
            ("prompt", None),
        ] {
            assert_eq!(asked.parameter(name).as_deref(), value, "{name}: {}", asked.body);
        }
    };
    renew(&home, code::DONE);
    expect("openid read offline_access");
    // Until the server names the scopes, those that were requested count for nothing.
    renew(&home, code::DONE);
    renew(&home, code::DONE);
    expect("read write email openid offline_access");
    renew(&home, code::NO_CREDENTIAL).says("they lack the scopes write, email");
}

#[test]
fn login_of_an_older_version_is_renewed_as_its_descriptor_says() {
    let (home, server) = (Home::new(), server(&[FIRST]));
    acme(&home, &server, "scopes: [openid, read], parameters: {audience: api}");
    home.authenticate(["demo", "acme"]).exits(code::DONE);
    let (mut oauth, record) = tokens(&home, "acme");
    let origin = TokenOrigin::of(&oauth).expect("an origin");
    TokenOrigin { parameters: None, ..origin }.store_in(&mut oauth.extra);
    let address = Address::default_profile("acme".parse().expect("a name"));
    let mut store = Store::open(&home.data()).expect("a store");
    store.put(&address, &Credential::OAuth(oauth), &record.metadata).expect("stored");
    renew(&home, code::DONE);
    let asked = last(&server);
    assert_eq!(asked.parameter("scope").as_deref(), Some("openid read"));
    assert_eq!(asked.parameter("audience").as_deref(), Some("api"));
}

#[test]
fn repeated_grant_requests_what_its_login_requested() {
    let (home, server) = (Home::new(), server(&[r#"{"access_token": "a", "expires_in": 3600}"#]));
    let describe = |more: &str| {
        let flow = format!(
            "token_url: '{}', client_id: demo, client_secret: 'env:SECRET', {more}",
            server.url("/token")
        );
        describe(&home, "acme", &format!("modes: [client_credentials]\nclient_credentials: {{{flow}}}"));
    };
    describe("scopes: [read], parameters: {audience: one}");
    home.authenticate(["demo", "acme"]).env("SECRET", "s").exits(code::DONE);
    describe("scopes: [write], parameters: {audience: two}");
    home.authenticate(["refresh", "demo", "acme", "--force"]).env("SECRET", "s").exits(code::DONE);
    let asked = last(&server);
    assert_eq!(asked.parameter("scope").as_deref(), Some("read"));
    assert_eq!(asked.parameter("audience").as_deref(), Some("one"));
}
