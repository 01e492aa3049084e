//! A login that its vendor's own CLI renews, in a container of its own.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use authenticate::{
    config::Paths,
    context::Context,
    credential::Credential,
    refresh::{Refresh, RefreshError},
};
use rustix::process::Signal;
use serde_json::json;
use test_support::{LIMIT, Running};

use crate::harness::{
    Home, Place, acme,
    acme::{MOUNT, describe},
};

const LOGIN: [&str; 5] = ["p", "acme", "--mode", "oauth", "--no-browser"];
/// Where the CLI keeps its login, inside.
const FILE: &str = "/home/dev/.config/acme/auth.json";

/// A home with a login that is past its time, and a CLI that does this to renew it.
fn expired(place: Place, renew: &str) -> Home {
    let home = acme(place, &[r#"write auth.json {"a":"AAA","r":"RRR","e":1000,"mine":"kept"}"#]);
    describe(
        &home,
        json!({
            "capture": [{
                "file": "auth.json",
                "format": "json",
                "kind": "oauth",
                "fields": {
                    "access_token": "/a",
                    "refresh_token": "/r",
                    "expires_at": {"path": "/e", "as": "unix_seconds"},
                },
            }],
            "refresh": {"strategy": "command", "command": ["sh", "-c", renew]},
        }),
    );
    home.run(&LOGIN).expect(0);
    home
}

fn is_renewed(place: Place) {
    let renew = format!(
        r#"grep -q RRR {FILE} && grep -q AAA {FILE} && echo '{{"a":"BBB","r":"SSS","e":2000000000}}' >{FILE}"#
    );
    let home = expired(place, &renew);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "BBB\n");
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "BBB\n", "and not again");
    let status = home.status();
    assert_eq!(status["credentials"][0]["state"], "ok", "{status}");
    home.assert_nothing_left();
}

#[test]
fn by_its_own_cli_on_docker() {
    is_renewed(Place::Docker);
}

#[test]
fn by_its_own_cli_on_rootless_docker_as_an_ordinary_user() {
    is_renewed(Place::RootlessDocker);
}

#[test]
fn by_its_own_cli_on_podman() {
    is_renewed(Place::Podman);
}

#[test]
fn by_its_own_cli_on_rootless_podman_as_an_ordinary_user() {
    is_renewed(Place::PodmanAsUser);
}

/// The one that was sent may be spent, and must not be sent again.
#[test]
fn a_cli_that_renews_the_refresh_token_alone_has_renewed() {
    let renew = |access: &str, end: &str| {
        format!(r#"grep -q RRR {FILE} && echo '{{"a":"{access}","r":"SSS","e":{end}}}' >{FILE}"#)
    };
    let home = expired(Place::Docker, &renew("AAA", "2000000000"));
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "AAA\n");
    assert_eq!(home.status()["credentials"][0]["state"], "ok");
    let home = expired(Place::Docker, &renew("AAA", "1000"));
    let ended = home.run(&["token", "p", "acme"]).expect(3);
    assert!(ended.err.contains("expired"), "{}", ended.err);
    let Credential::OAuth(kept) = home.record("acme").expect("stored").credential else { panic!("no login") };
    assert_eq!(kept.refresh_token, Some("SSS".into()));
    home.assert_nothing_left();
}

#[test]
fn a_cli_that_changes_nothing_may_be_asked_again() {
    let home = expired(Place::Docker, "exit 7");
    for _ in 0..2 {
        let ended = home.run(&["token", "p", "acme"]).expect(4);
        assert!(ended.err.contains("did not refresh acme: it ended with exit code 7"), "{}", ended.err);
    }
    home.assert_nothing_left();
}

#[test]
fn a_cli_that_signs_out_needs_a_login() {
    let home = expired(Place::Docker, &format!("echo '{{}}' >{FILE}"));
    let ended = home.run(&["token", "p", "acme"]).expect(3);
    assert!(ended.err.contains("removed the login from its files"), "{}", ended.err);
    assert_eq!(home.status()["credentials"][0]["state"], "needs login");
    let again = home.run(&["token", "p", "acme"]).expect(3);
    assert!(again.err.contains("removed the login from its files"), "remembered: {}", again.err);
    home.assert_nothing_left();
}

/// The CLI's directory on this side, once it runs and has said so there.
fn started(home: &Home) -> PathBuf {
    let begin = Instant::now();
    loop {
        let logins = std::fs::read_dir(home.data().join("logins")).into_iter().flatten().flatten();
        let inside = logins.flat_map(|login| std::fs::read_dir(login.path())).flatten().flatten();
        if let Some(found) = inside.map(|entry| entry.path()).find(|path| path.join("started").exists()) {
            return found;
        }
        assert!(begin.elapsed() < LIMIT, "the CLI does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_cli_that_fails_is_run_once_for_all_who_wait() {
    let waits = format!("touch {MOUNT}/started; until [ -e {MOUNT}/go ]; do sleep 0.05; done; exit 7");
    let home = expired(Place::Docker, &waits);
    let first = home.start(&["token", "p", "acme"]);
    let files = started(&home);
    let record = home.record("acme").expect("stored");
    let paths = Paths::new(home.path().join("config"), home.data());
    let context = Context::new(paths).with_project("p".parse().expect("a name"));
    let refresh = Refresh::of(&context, &record).expect("described");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let second = runtime.block_on(async {
        let waiting = refresh.refresh(&record, false);
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            done = &mut waiting => panic!("too soon: {done:?}"),
            () = async { std::fs::write(files.join("go"), "").expect("written") } => {}
        }
        waiting.await
    });
    assert!(
        matches!(&second, Err(RefreshError::BackingOff { why, .. }) if why.contains("exit code 7")),
        "{second:?}"
    );
    first.end().expect(4);
    let log = home.run(&["log", "--json"]).expect(0).out;
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    let entries = log["entries"].as_array().expect("entries").iter();
    assert_eq!(entries.filter(|entry| entry["action"] == "refresh").count(), 1, "{log}");
    home.assert_nothing_left();
}

#[test]
fn a_process_killed_meanwhile_leaves_the_login_in_doubt() {
    let home = expired(Place::Docker, &format!("touch {MOUNT}/started; sleep 1000"));
    let killed = home.start(&["token", "p", "acme"]);
    started(&home);
    killed.signal(Signal::KILL);
    killed.end();
    let ended = home.run(&["token", "p", "acme"]).expect(3);
    assert!(ended.err.contains("the outcome of refreshing acme"), "{}", ended.err);
    assert!(home.containers().len() <= 1, "the token was given to another one");
    home.run(&["doctor", "--json"]);
    home.assert_nothing_left();
}

#[test]
fn a_projects_variables_are_looked_up() {
    let home = expired(
        Place::Docker,
        &format!(r#"echo "{{\"a\":\"$WHO\",\"r\":\"SSS\",\"e\":2000000000}}" >{FILE}"#),
    );
    let project = home.path().join("config/projects/p.yaml");
    let mut text: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&project).expect("readable")).expect("JSON");
    text["engine"] = "env:ENGINE".into();
    text["env"]["WHO"] = "env:SOMEBODY".into();
    home.file("config/projects/p.yaml", &text.to_string());
    let token = |variables: &[(&str, &str)]| {
        Running::start(home.command(&["token", "p", "acme"]).envs(variables.iter().copied())).end()
    };
    let engine = ("ENGINE", Place::Docker.url());
    let ended = token(&[engine]).expect(2);
    assert!(ended.err.contains("env.WHO of the project: the environment variable SOMEBODY"), "{}", ended.err);
    assert_eq!(token(&[engine, ("SOMEBODY", "BBB")]).expect(0).out, "BBB\n");
    home.assert_nothing_left();
}
