//! What a program learns of logins that need to be renewed.

use authenticate::{Client, Error, handout::headers::HeadersError};
use serde_json::{Value, json};

use crate::harness::{EXPIRED, Home, Server, runtime};

const NEW: &str = r#"{"access_token": "NEW", "refresh_token": "SSS", "expires_in": 3600}"#;

fn tokens() -> Value {
    json!({"access_token": "OLD", "refresh_token": "RRR"})
}

fn client(home: &Home) -> Client {
    Client::new(home.paths.clone())
}

#[test]
fn nothing_is_renewed_for_headers_that_there_will_not_be() {
    let server = Server::answering(Some((200, NEW)));
    let refresh = json!({"strategy": "oauth", "token_url": server.url, "client_id": "c"});
    let home_with = |api: Value| {
        let home = Home::described(json!({"refresh": refresh, "api": api}));
        home.logged_in(&tokens(), EXPIRED);
        home
    };
    let headers = |home: &Home| runtime().block_on(client(home).headers("acme"));

    let home = home_with(json!({"base_url": "env:ACME_TEST_URL_UNSET", "shape": "own"}));
    let error = headers(&home).expect_err("no URL");
    assert!(error.to_string().contains("ACME_TEST_URL_UNSET is not set"), "{error}");

    let api = json!({"base_url": "https://acme.example", "shape": "own",
        "headers": {"x-team": "env:ACME_TEST_TEAM_UNSET"}});
    let error = headers(&home_with(api)).expect_err("no header");
    assert!(error.to_string().contains("ACME_TEST_TEAM_UNSET is not set"), "{error}");

    let home = home_with(json!({"base_url": "https://acme.example", "shape": "own"}));
    let elsewhere = "https://example.com/v1".parse().expect("a URL");
    let error = runtime().block_on(client(&home).headers_for("acme", &elsewhere)).expect_err("another host");
    assert!(matches!(error, Error::Headers(HeadersError::OtherHost { .. })), "{error:?}");

    assert_eq!(server.bodies().len(), 0, "the vendor was asked in vain");
    let sent = headers(&home).expect("headers");
    assert_eq!(sent[0].value.expose(), "Bearer NEW");
    assert_eq!(server.bodies().len(), 1);
}
