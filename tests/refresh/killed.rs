//! Processes that end while they hold a refresh.

use std::{
    fs::Permissions,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use authenticate::{refresh::Refreshed, store::BeginOutcome};
use serde_json::json;
use test_support::{
    Issuer, Server, Stub, eventually, json_reply,
    refresh::{EXPIRED, Home},
    runtime,
};

fn state(home: &Home) -> serde_json::Value {
    let status = home.run(&["status", "--json"]).stdout;
    serde_json::from_slice::<serde_json::Value>(&status).expect("JSON")["credentials"][0]["state"].clone()
}

#[test]
fn status_distinguishes_a_live_from_a_dead_holder() {
    let (server, _answer) = Server::held(200, "{}");
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let is_authenticated = || {
        runtime()
            .block_on(authenticate::Client::new(home.paths.clone()).is_authenticated("acme"))
            .expect("known")
    };
    assert_eq!((state(&home), is_authenticated()), (json!("expired"), true));
    let mut child = home.command(&["token", "p", "acme"]).spawn().expect("started");
    eventually("the exchange", || server.bodies().len() == 1);
    assert_eq!((state(&home), is_authenticated()), (json!("refreshing"), true));
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!((state(&home), is_authenticated()), (json!("error"), false));
}

#[test]
fn grant_that_is_killed_is_repeated_by_the_next_process() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    let server = Stub::serving(move |_, connection| match counted.fetch_add(1, Ordering::SeqCst) {
        1 => thread::park(),
        number => {
            let token =
                json!({"access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 60});
            let _ = connection.write_all(&json_reply(200, &token.to_string()));
        }
    });
    let grant = json!({"token_url": server.url("/token"), "client_id": "us", "client_secret": "env:ROBOT"});
    let home = Home::described(json!({"modes": ["client_credentials"], "client_credentials": grant}));
    let command = |words: &[&str]| {
        let mut command = home.command(words);
        command.env("ROBOT", "beep");
        command
    };
    assert!(command(&["p", "acme"]).status().expect("ran").success());
    home.expire();
    let mut child = command(&["token", "p", "acme"]).spawn().expect("started");
    eventually("the second request", || requests.load(Ordering::SeqCst) == 2);
    child.kill().expect("killed");
    child.wait().expect("ended");
    let ran = command(&["token", "p", "acme"]).output().expect("ran");
    assert_eq!(String::from_utf8(ran.stdout).expect("text"), "token-2\n");
}

/// A store used by several clients, each of which knows the state.
#[test]
fn status_detects_a_live_holder_with_a_given_store() {
    let (server, answer) = Server::held(200, r#"{"access_token": "NEW", "expires_in": 3600}"#);
    let home = &Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    thread::scope(|scope| {
        let store = authenticate::store::SharedStore::new(home.store());
        let client = authenticate::Client::with_store(home.paths.clone(), store);
        let refreshing =
            scope.spawn(move || runtime().block_on(client.refresh("acme", false)).expect("refreshed"));
        eventually("the exchange", || server.bodies().len() == 1);
        assert_eq!(state(home), "refreshing");
        answer.send(()).expect("told");
        refreshing.join().expect("ended");
    });
    assert_eq!(state(home), "ok");
}

#[test]
fn refresh_killed_before_sending_loses_nothing() {
    let server = Issuer::start(&[]);
    let home = Home::new(&server.token_url());
    let record = home.logged_in(&server.login(), EXPIRED);
    // A lock file that nobody holds.
    std::fs::create_dir_all(home.paths.turns()).expect("made");
    let private = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("private");
    };
    private(&home.paths.turns(), 0o700);
    let file = home.paths.turns().join("default~acme~default.lock");
    std::fs::write(&file, "").expect("written");
    private(&file, 0o600);
    assert!(matches!(home.renew(&record, false), Ok(Refreshed::Now(_))));
    assert_eq!(std::fs::read_dir(home.paths.turns()).expect("read").count(), 0);
    let moved = home.store().begin_attempt(&home.address(), record.version, "me", false).expect("asked");
    assert_eq!(moved, BeginOutcome::Changed);
}
