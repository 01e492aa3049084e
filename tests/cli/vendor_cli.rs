//! A refresh by the vendor's own CLI, on an engine that disconnects.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use test_support::{
    Home, code,
    fake_engine::{Answer, listen, usual},
};

/// The content of the vendor's file.
fn login(token: &str, expires_at: u64) -> String {
    let login = json!({"accessToken": token, "refreshToken": "RRR", "expiresAt": expires_at, "scopes": []});
    json!({"claudeAiOauth": login}).to_string()
}

/// A home with an expired login, and an engine that gives this answer when it is asked to start the CLI, which leaves this in
/// its file before. How often it was asked.
fn expired(answer: fn() -> Answer, leaves: Option<&'static str>) -> (Home, Arc<AtomicUsize>) {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let url = format!("unix://{}", socket.display());
    home.write("config/projects/demo.yaml", &json!({"engine": url, "image": "example"}).to_string());
    home.write("vendor/.credentials.json", &login("OLD", 1_700_000_000_000));
    home.authenticate(["import", "demo", "claude", "--from", "vendor", "--move"]).exits(code::DONE);
    let starts = Arc::new(AtomicUsize::new(0));
    let (counted, directory) = (Arc::clone(&starts), Mutex::new(PathBuf::new()));
    listen(&socket, move |asked| {
        let mut directory = directory.lock().expect("one at a time");
        if asked.is("POST /containers/create") {
            let asked: Value = serde_json::from_slice(&asked.body).expect("JSON");
            let bind = asked["HostConfig"]["Binds"][0].as_str().expect("a bind");
            *directory = bind.split(':').next().expect("a directory").into();
        }
        if !asked.is("POST /start") {
            return usual(asked);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        if let Some(token) = leaves {
            fs::write(directory.join(".credentials.json"), login(token, 4_100_000_000_000)).expect("written");
        }
        answer()
    });
    (home, starts)
}

fn refused() -> Answer {
    Answer::Json(500, r#"{"message": "no room"}"#)
}

#[test]
fn files_are_captured_even_if_the_engine_disconnects() {
    for answer in [|| Answer::End, refused] {
        let (home, starts) = expired(answer, Some("NEW"));
        assert_eq!(home.authenticate(["token", "demo", "claude"]).exits(code::DONE).stdout, "NEW\n");
        assert_eq!(home.authenticate(["token", "demo", "claude"]).exits(code::DONE).stdout, "NEW\n");
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn token_that_the_cli_may_have_sent_is_not_reused() {
    let (home, starts) = expired(|| Answer::End, None);
    for _ in 0..2 {
        home.authenticate(["token", "demo", "claude"])
            .exits(code::NO_CREDENTIAL)
            .says("the outcome of refreshing claude")
            .says("it was lost: the engine did not report how it ended");
    }
    assert_eq!(starts.load(Ordering::Relaxed), 1);
}

#[test]
fn refresh_that_the_engine_did_not_start_can_be_retried() {
    let (home, starts) = expired(refused, None);
    for _ in 0..2 {
        home.authenticate(["token", "demo", "claude"]).exits(code::ENGINE).says("no room");
    }
    assert_eq!(starts.load(Ordering::Relaxed), 2);
}
