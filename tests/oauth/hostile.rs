//! Servers that are slow, huge, lead elsewhere or talk nonsense; and those that are not there.

use std::{io::Write as _, time::Duration};

use test_support::{Home, Stub, code, describe, json_reply, record, reply};

const CANARY: &str = "CANARY-0123456789-secret";

fn acme(home: &Home, token_url: &str) {
    describe(
        home,
        "acme",
        &format!(
            "modes: [client_credentials]\n\
             client_credentials: {{token_url: '{token_url}', client_id: demo, client_secret: 'env:SECRET', client_auth: body}}"
        ),
    );
}

/// A login fails with this exit code and text; nothing is stored, and nothing of a secret is said.
#[track_caller]
fn fails(token_url: &str, arguments: &[&str], code: u8, text: &str) {
    let home = Home::new();
    acme(&home, token_url);
    let arguments = ["demo", "acme"].iter().chain(arguments);
    let outcome = home.authenticate(arguments).env("SECRET", CANARY).exits(code);
    outcome.says(text).does_not_say("CANARY").does_not_say("0123456789");
    assert_eq!(record(&home, "acme"), None);
    assert_eq!(std::fs::read_dir(home.data().join("logins")).expect("logins").count(), 0);
}

#[track_caller]
fn answered(answer: Vec<u8>, code: u8, text: &str) {
    let server = Stub::that(move |_| answer.clone());
    fails(&server.url("/token"), &[], code, text);
    assert_eq!(server.asked().len(), 1, "a request is never repeated");
}

#[test]
fn refusal_is_shown_without_the_sent_secrets() {
    let echo =
        format!(r#"{{"error": "invalid_client", "error_description": "bad secret {CANARY}\u001b[31m"}}"#);
    answered(json_reply(401, &echo), code::LOGIN_FAILED, "refused: invalid_client: bad secret [..][31m");
    let vendor = format!(r#"{{"error": {{"code": "{CANARY}", "message": "{CANARY}"}}}}"#);
    answered(json_reply(200, &vendor), code::LOGIN_FAILED, "refused: [..]: [..]");
}

#[test]
fn server_with_status_429_500_or_503_is_unavailable() {
    for status in [429, 500, 503] {
        answered(reply(status, "text/html", "<html>"), code::UNREACHABLE, &format!("status {status}"));
    }
}

#[test]
fn gateway_error_has_an_unknown_outcome() {
    for status in [502, 504] {
        answered(
            reply(status, "text/html", "<html>"),
            code::UNREACHABLE,
            "so the outcome of the request is unknown",
        );
    }
}

#[test]
fn malformed_answer_is_refused() {
    let huge = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(2 << 20));
    for (answer, text) in [
        (json_reply(200, "{}"), "there is no access token in it"),
        (json_reply(200, &huge), "it is too large"),
        (reply(200, "text/html", "<html>log in to the hotel's network</html>"), "it is not a JSON object"),
        (json_reply(404, "{}"), "it is not a response of an authorization server"),
    ] {
        answered(answer, code::UNREACHABLE, text);
    }
}

#[test]
fn oversized_answer_is_refused() {
    let server = Stub::serving(|_, connection| {
        let start = b"HTTP/1.1 400 X\r\nContent-Type: application/json\r\n\r\n{\"error\": \"";
        let mut going = connection.write_all(start);
        while going.is_ok() {
            going = connection.write_all(&[b'x'; 16 * 1024]);
        }
    });
    fails(&server.url("/token"), &[], code::UNREACHABLE, "it is too large");
}

#[test]
fn redirect_is_not_followed() {
    let other = Stub::that(|_| json_reply(200, r#"{"access_token": "x"}"#));
    let target = other.url("/token");
    let server = Stub::that(move |_| {
        format!("HTTP/1.1 307 X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    });
    fails(&server.url("/token"), &[], code::UNREACHABLE, "it redirects elsewhere");
    assert!(other.asked().is_empty());
}

#[test]
fn connection_that_breaks_off_is_reported() {
    answered(Vec::new(), code::UNREACHABLE, "so the outcome of the request is unknown");
    let half = b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n{\"access_token\": \"CANARY".to_vec();
    answered(half, code::UNREACHABLE, "so the outcome of the request is unknown");
}

#[test]
fn silent_server_is_given_up_at_the_time_limit() {
    let server = Stub::serving(|_, _| std::thread::sleep(Duration::from_secs(60)));
    fails(&server.url("/token"), &["--timeout", "1s"], code::LOGIN_FAILED, "the login took longer than 1 s");
}

#[test]
fn missing_server_cannot_be_reached() {
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    fails(&format!("http://{nobody}/token"), &[], code::UNREACHABLE, "cannot reach ");
    fails("https://nobody.invalid/token", &[], code::UNREACHABLE, "cannot reach nobody.invalid");
}

#[test]
fn server_without_tls_is_not_reached_over_https() {
    let server = Stub::that(|_| json_reply(200, "{}"));
    let url = format!("https://127.0.0.1:{}/token", server.port());
    fails(&url, &[], code::UNREACHABLE, "cannot reach ");
    assert!(server.asked().is_empty());
}

#[test]
fn nothing_is_sent_in_the_clear() {
    let home = Home::new();
    acme(&home, "http://acme.example/token");
    home.authenticate(["demo", "acme"])
        .env("SECRET", CANARY)
        .exits(code::USAGE)
        .says("client_credentials.token_url")
        .says("is not https (http is for loopback only)");
}

#[test]
fn loopback_requests_bypass_the_proxy() {
    let proxy = Stub::that(|_| json_reply(200, r#"{"access_token": "x"}"#));
    let server = Stub::that(|_| json_reply(200, r#"{"access_token": "x"}"#));
    let home = Home::new();
    acme(&home, &server.url("/token"));
    let run = home.authenticate(["demo", "acme"]).env("SECRET", CANARY);
    run.env("HTTP_PROXY", proxy.url("")).env("http_proxy", proxy.url("")).exits(code::DONE);
    assert!(proxy.asked().is_empty());
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn invalid_bundle_is_an_error_before_anything_is_sent() {
    let server = Stub::that(|_| json_reply(200, r#"{"access_token": "x"}"#));
    let home = Home::new();
    acme(&home, &server.url("/token"));
    let file = home.write("ca.pem", "nonsense");
    let run = home.authenticate(["demo", "acme", "--ca-bundle", file.to_str().expect("text")]);
    run.env("SECRET", CANARY).exits(code::USAGE).says("it has no PEM certificate");
    assert!(server.asked().is_empty());
}

#[test]
fn proxy_sees_only_the_host_of_a_tunnel() {
    let proxy = Stub::that(|_| reply(502, "text/html", "<html>"));
    let home = Home::new();
    acme(&home, "https://nobody.invalid/token");
    let run = home.authenticate(["demo", "acme"]).env("SECRET", CANARY).env("HTTPS_PROXY", proxy.url(""));
    run.exits(code::UNREACHABLE).says("cannot reach nobody.invalid").does_not_say("CANARY");
    let asked = proxy.asked();
    let [tunnel] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(tunnel.head.starts_with("CONNECT nobody.invalid:443 "), "{}", tunnel.head);
    assert!(!tunnel.head.contains("CANARY") && tunnel.body.is_empty(), "{tunnel:?}");
}
