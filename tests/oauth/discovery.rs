//! Endpoints that the authorization server publishes itself.

use std::sync::{Arc, OnceLock};

use test_support::{Home, Stub, code, describe, json_reply, record, reply};

const TOKEN: &str = r#"{"access_token": "the-token"}"#;

fn acme(home: &Home, issuer: &str, more: &str) {
    describe(
        home,
        "acme",
        &format!(
            "modes: [client_credentials]\n\
             client_credentials: {{issuer: '{issuer}', client_id: demo, client_secret: 'env:SECRET'{more}}}"
        ),
    );
}

fn login(home: &Home) -> test_support::Run {
    home.authenticate(["demo", "acme"]).env("SECRET", "s3cret")
}

/// A server whose description is at `place`; `ISSUER` in it becomes its own address.
fn publishing(place: &'static str, document: &'static str) -> Stub {
    let own = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&own);
    let stub = Stub::that(move |asked| match asked.path.as_str() {
        path if path == place => json_reply(200, &document.replace("ISSUER", known.get().expect("set"))),
        "/token" => json_reply(200, TOKEN),
        _ => reply(404, "text/html", "<html>"),
    });
    own.set(stub.url("")).expect("unset");
    stub
}

const GOOD: &str = r#"{"issuer": "ISSUER", "token_endpoint": "ISSUER/token"}"#;

#[test]
fn both_well_known_urls_are_requested() {
    for place in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let (home, server) = (Home::new(), publishing(place, GOOD));
        acme(&home, &server.url(""), "");
        login(&home).exits(code::DONE);
        assert_eq!(server.asked_at("/token").len(), 1);
    }
}

/// A gateway or a page for everything in place of the document of RFC 8414.
#[test]
fn second_well_known_url_is_requested_whatever_the_first_returns() {
    type Answer = fn(&str) -> Vec<u8>;
    let instead: [(&str, Answer); 5] = [
        ("a redirect", |own| {
            format!(
                "HTTP/1.1 302 X\r\nLocation: {own}/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .into_bytes()
        }),
        ("502", |_| reply(502, "text/html", "<html>")),
        ("504", |_| reply(504, "text/html", "<html>")),
        ("a page", |_| reply(200, "text/html", "<html>")),
        ("nothing", |_| Vec::new()),
    ];
    for (what, answer) in instead {
        let home = Home::new();
        let own = Arc::new(OnceLock::<String>::new());
        let known = Arc::clone(&own);
        let server = Stub::that(move |asked| match asked.path.as_str() {
            "/.well-known/oauth-authorization-server" => answer(known.get().expect("set")),
            "/.well-known/openid-configuration" => {
                json_reply(200, &GOOD.replace("ISSUER", known.get().expect("set")))
            }
            _ => json_reply(200, TOKEN),
        });
        own.set(server.url("")).expect("unset");
        acme(&home, &server.url(""), "");
        login(&home).exits(code::DONE);
        assert_eq!(server.asked_at("/token").len(), 1, "{what}");
    }
}

#[test]
fn failed_discovery_has_a_known_outcome() {
    for (status, says) in [(504, "cannot reach HOST: status 504"), (302, "it redirects")] {
        let (home, server) = (Home::new(), Stub::that(move |_| reply(status, "text/html", "")));
        let says = says.replace("HOST", &format!("127.0.0.1:{}", server.port()));
        acme(&home, &server.url(""), "");
        login(&home).exits(code::UNREACHABLE).says(&says).does_not_say("is unknown");
    }
    let (home, silent) = (Home::new(), Stub::that(|_| Vec::new()));
    acme(&home, &silent.url(""), "");
    login(&home).exits(code::UNREACHABLE).says("cannot reach ").does_not_say("is unknown");
}

#[test]
fn given_endpoint_is_not_discovered() {
    let home = Home::new();
    let server = Stub::that(|_| json_reply(200, TOKEN));
    acme(&home, &server.url(""), &format!(", token_url: '{}'", server.url("/token")));
    login(&home).exits(code::DONE);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn metadata_of_another_issuer_is_refused() {
    let other = r#"{"issuer": "https://other.example", "token_endpoint": "ISSUER/token"}"#;
    let (home, server) = (Home::new(), publishing("/.well-known/oauth-authorization-server", other));
    acme(&home, &server.url(""), "");
    login(&home)
        .exits(code::LOGIN_FAILED)
        .says("publishes the metadata of another issuer, \"https://other.example\"");
    assert!(server.asked_at("/token").is_empty());
    assert_eq!(record(&home, "acme"), None);
}

#[test]
fn endpoint_without_https_is_refused() {
    let plain = r#"{"issuer": "ISSUER", "token_endpoint": "http://acme.example/token"}"#;
    let (home, server) = (Home::new(), publishing("/.well-known/oauth-authorization-server", plain));
    acme(&home, &server.url(""), "");
    login(&home).exits(code::USAGE).says("is not https");
}

#[test]
fn missing_endpoint_is_reported() {
    let none = r#"{"issuer": "ISSUER"}"#;
    let (home, server) = (Home::new(), publishing("/.well-known/oauth-authorization-server", none));
    acme(&home, &server.url(""), "");
    login(&home).exits(code::USAGE).says("publishes no token endpoint");
}

#[test]
fn missing_or_malformed_metadata_is_reported() {
    let (home, server) = (Home::new(), publishing("/none", GOOD));
    acme(&home, &server.url(""), "");
    login(&home).exits(code::UNREACHABLE).says("it does not publish its endpoints");
    let (home, server) = (Home::new(), publishing("/.well-known/oauth-authorization-server", "[]"));
    acme(&home, &server.url(""), "");
    login(&home).exits(code::UNREACHABLE).says("it is not authorization server metadata");
}
