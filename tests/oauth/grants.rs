//! The requests of the grants that ask nobody.

use test_support::{Home, Stub, code, describe, json_reply};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

#[test]
fn requests_follow_the_standards() {
    let home = Home::new();
    let server = Stub::that(|_| json_reply(200, r#"{"access_token": "new", "token_type": "Bearer"}"#));
    let url = server.url("/token");
    describe(
        &home,
        "robot",
        &format!(
            "modes: [client_credentials, token_exchange]\n\
             client_credentials: {{token_url: '{url}', client_id: 'env:ROBOT_ID', client_secret: 'env:ROBOT_SECRET', \
             client_auth: body, scopes: [a, b], parameters: {{audience: api}}}}\n\
             token_exchange: {{token_url: '{url}', subject_token: 'env:SUBJECT', subject_token_type: id_token, \
             requested_token_type: 'urn:x:y', parameters: {{audience: api}}}}"
        ),
    );
    let run = |mode| {
        let run = home.authenticate(["demo", "robot", "--mode", mode]);
        run.env("ROBOT_ID", "r2d2").env("ROBOT_SECRET", "beep").env("SUBJECT", "s1").exits(code::DONE)
    };
    run("client_credentials");
    run("token_exchange");
    let asked = server.asked();
    let sent = |index: usize, name: &str| asked[index].parameter(name);
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "r2d2"),
        ("client_secret", "beep"),
        ("scope", "a b"),
        ("audience", "api"),
    ] {
        assert_eq!(sent(0, name).as_deref(), Some(value), "{name}");
    }
    for (name, value) in [
        ("grant_type", EXCHANGE),
        ("subject_token", "s1"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("requested_token_type", "urn:x:y"),
        ("audience", "api"),
    ] {
        assert_eq!(sent(1, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(asked[1].body.matches("grant_type=").count(), 1, "{}", asked[1].body);
    assert!(!asked[1].body.contains("client_id"), "{}", asked[1].body);
}
