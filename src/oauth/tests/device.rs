//! How often a server is asked whether its code was confirmed.

use std::sync::Mutex;

use super::{
    server::{Does, Server, reply},
    *,
};
use crate::oauth::device;

const PENDING: &str = r#"{"error": "authorization_pending"}"#;
const SLOW_DOWN: &str = r#"{"error": "slow_down"}"#;
const TOKENS: &str = r#"{"access_token": "new"}"#;

async fn code_of(times: &str) -> Result<(Server, device::DeviceCode), OAuthError> {
    let body = format!(
        r#"{{"device_code": "{CANARY}", "user_code": "AB", "verification_uri": "https://id.example/device"{times}}}"#
    );
    let server = Server::answers("200 OK", &body).await;
    let url = server.url("/device").parse()?;
    let code = device::start(&http(), &url, &endpoint(&server), &[], &Default::default()).await?;
    Ok((server, code))
}

/// Asks a server that answers polls in turn, without waiting; how long it would have waited each time.
async fn waits(times: &str, answers: Vec<(&str, &str)>) -> (Result<Tokens, OAuthError>, Vec<u64>) {
    let (_server, code) = code_of(times).await.expect("a code");
    let answers = answers.into_iter().map(|(status, body)| reply(status, "application/json", body)).collect();
    let server = Server::that(Does::SaysInTurn(answers)).await;
    let waited = Mutex::new(Vec::new());
    let sleep = |time: Duration| {
        waited.lock().expect("unpoisoned").push(time.as_secs());
        tokio::time::sleep(Duration::ZERO)
    };
    let got = device::wait_with(&http(), &endpoint(&server), &code, &Default::default(), sleep).await;
    let waited = waited.lock().expect("unpoisoned").clone();
    (got, waited)
}

#[tokio::test]
async fn the_servers_interval_is_kept_and_slow_down_adds_five_seconds_for_good() {
    let answers = vec![
        ("400 Bad Request", PENDING),
        ("400 Bad Request", SLOW_DOWN),
        ("400 Bad Request", PENDING),
        ("429 Too Many Requests", SLOW_DOWN),
        ("400 Bad Request", PENDING),
        ("200 OK", TOKENS),
    ];
    let (got, waited) = waits(r#", "expires_in": 900, "interval": 2"#, answers).await;
    assert_eq!(got.expect("tokens").access_token.expose(), "new");
    assert_eq!(waited, [2, 7, 7, 12, 12]);
}

#[tokio::test]
async fn a_server_that_names_no_times_or_senseless_ones_is_asked_sensibly() {
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
async fn a_server_that_is_away_is_asked_less_often() {
    let answers = vec![
        ("503 Service Unavailable", ""),
        ("502 Bad Gateway", ""),
        ("400 Bad Request", PENDING),
        ("200 OK", TOKENS),
    ];
    let (got, waited) = waits(r#", "expires_in": 900, "interval": 2"#, answers).await;
    assert!(got.is_ok(), "{got:?}");
    assert_eq!(waited, [4, 8, 8]);
}

#[tokio::test]
async fn nothing_of_the_devices_own_code_is_shown() {
    let (_server, code) = code_of("").await.expect("a code");
    assert!(!format!("{code:?}").contains("CANARY"), "{code:?}");
}
