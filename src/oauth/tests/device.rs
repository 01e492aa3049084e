//! The polling of the device grant.

use std::sync::Mutex;

use super::{
    server::{Does, Server, reply},
    *,
};
use crate::oauth::device;

const PENDING: &str = r#"{"error": "authorization_pending"}"#;
const SLOW_DOWN: &str = r#"{"error": "slow_down"}"#;
const TOKENS: &str = r#"{"access_token": "new"}"#;

async fn code_of(times: &str) -> Result<(Server, device::DeviceAuthorization), OAuthError> {
    let body = format!(
        r#"{{"device_code": "{CANARY}", "user_code": "AB", "verification_uri": "https://id.example/device"{times}}}"#
    );
    let server = Server::answers("200 OK", &body).await;
    let url = server.url("/device").parse()?;
    let code = device::start(&http(), &url, &endpoint(&server), &Default::default()).await?;
    Ok((server, code))
}

/// Polls a server with these responses in turn, without sleeping; returns the result and the intervals.
async fn waits(times: &str, answers: Vec<(&str, &str)>) -> (Result<Tokens, OAuthError>, Vec<u64>) {
    let answers = answers.into_iter().map(|(status, body)| reply(status, "application/json", body)).collect();
    waits_for(times, answers).await
}

async fn waits_for(times: &str, answers: Vec<Vec<u8>>) -> (Result<Tokens, OAuthError>, Vec<u64>) {
    let (_server, code) = code_of(times).await.expect("a code");
    let server = Server::that(Does::SaysInTurn(answers)).await;
    let waited = Mutex::new(Vec::new());
    let sleep = |time: Duration| {
        waited.lock().expect("unpoisoned").push(time.as_secs());
        tokio::time::sleep(Duration::ZERO)
    };
    let got = device::wait_with(&http(), &endpoint(&server), &Default::default(), &code, |_| {}, sleep).await;
    let waited = waited.lock().expect("unpoisoned").clone();
    (got, waited)
}

#[tokio::test]
async fn polling_keeps_the_interval_and_slow_down_adds_five_seconds_for_good() {
    let answers = vec![
        ("400 Bad Request", PENDING),
        ("400 Bad Request", SLOW_DOWN),
        ("400 Bad Request", PENDING),
        ("429 Too Many Requests", SLOW_DOWN),
        ("400 Bad Request", PENDING),
        ("200 OK", TOKENS),
    ];
    let (got, waited) = waits(r#", "expires_in": 900, "interval": 2"#, answers).await;
    assert_eq!(got.expect("tokens").credential.access_token.expose(), "new");
    assert_eq!(waited, [2, 7, 7, 12, 12]);
}

#[tokio::test]
async fn polling_with_missing_or_absurd_times_uses_bounded_defaults() {
    for (times, interval, lasts) in [
        ("", 5, 900),
        (r#", "interval": "3", "expires_in": "60""#, 3, 60),
        (r#", "interval": 0, "expires_in": 60"#, 1, 60),
        (r#", "interval": 99999999999999, "expires_in": 99999999999999"#, 60, 3600),
        (r#", "interval": -1, "expires_in": null"#, 5, 900),
    ] {
        let (_server, code) = code_of(times).await.expect("a code");
        assert_eq!(code.expires_in, Duration::from_secs(lasts), "{times}");
        let answers = vec![("400 Bad Request", PENDING), ("200 OK", TOKENS)];
        let (got, waited) = waits(times, answers).await;
        assert!(got.is_ok(), "{got:?}");
        assert_eq!(waited, [interval], "{times}");
    }
}

#[tokio::test]
async fn polling_a_server_out_of_reach_backs_off() {
    let answers = vec![
        ("503 Service Unavailable", ""),
        ("502 Bad Gateway", ""),
        ("400 Bad Request", PENDING),
        ("200 OK", TOKENS),
    ];
    let (got, waited) = waits(r#", "expires_in": 900, "interval": 2"#, answers).await;
    assert!(got.is_ok(), "{got:?}");
    assert_eq!(waited, [4, 8, 2], "an answer restores the server's interval");
}

#[tokio::test]
async fn polling_a_server_out_of_reach_is_always_slower_than_before() {
    let mut answers = vec![("503 Service Unavailable", ""); 15];
    answers.push(("200 OK", TOKENS));
    let (got, waited) = waits(r#", "expires_in": 3600, "interval": 30"#, answers).await;
    assert!(got.is_ok(), "{got:?}");
    assert_eq!(waited, [35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 90, 90, 90]);
}

#[tokio::test]
async fn polling_waits_as_long_as_the_server_asks_and_not_beyond_the_code() {
    let busy = |seconds: u32| {
        format!("HTTP/1.1 503 X\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    let answers = vec![busy(40), busy(1), busy(3000), reply("200 OK", "application/json", TOKENS)];
    let (got, waited) = waits_for(r#", "expires_in": 900, "interval": 2"#, answers).await;
    assert!(got.is_ok(), "{got:?}");
    assert_eq!(waited[..2], [40, 8]);
    assert!((800..=900).contains(&waited[2]), "{waited:?}");
}

#[tokio::test]
async fn polling_ends_when_the_code_expires() {
    let (server, code) = code_of(r#", "expires_in": 1, "interval": 1"#).await.expect("a code");
    for (status, body, says) in [
        ("400 Bad Request", PENDING, "refused: expired_token: the device code has expired".to_owned()),
        ("503 Service Unavailable", "", format!("127.0.0.1:{} is unavailable (status 503)", server.port())),
    ] {
        let polled = Server::answers(status, body).await;
        let says = says.replace(&server.port().to_string(), &polled.port().to_string());
        let got = device::wait(&http(), &endpoint(&polled), &Default::default(), &code, |_| {}).await;
        assert_eq!(got.expect_err("an error").to_string(), says);
    }
}

#[tokio::test]
async fn device_code_in_debug_output_is_redacted() {
    let (_server, code) = code_of("").await.expect("a code");
    assert!(!format!("{code:?}").contains("CANARY"), "{code:?}");
}
