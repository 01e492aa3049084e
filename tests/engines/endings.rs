//! The ways in which a vendor's CLI ends, or is ended.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use test_support::{Ended, Running};

use crate::harness::{
    Home, Place,
    acme::{self, LOG_IN, acme},
};

const LOGIN: [&str; 4] = ["p", "acme", "--mode", "oauth"];

fn log_in(steps: &[&str]) -> (Home, Ended) {
    let home = acme(Place::Docker, steps);
    let ended = home.run(&LOGIN);
    home.assert_nothing_left();
    (home, ended)
}

/// A login that has got as far as to say `text`.
fn until(home: &Home, text: &str, more: &[&str]) -> Running {
    let running = home.start(&[&LOGIN[..], more].concat());
    running.out.wait_for(text);
    running
}

fn assert_captured(home: &Home) {
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "AAA\n");
}

#[test]
fn a_cli_that_stays_open_is_stopped_politely_once_its_login_is_complete() {
    let steps = ["on-signal TERM print goodbye", "on-signal TERM exit 0", LOG_IN, "stay"];
    let (home, ended) = log_in(&steps);
    ended.expect(0);
    assert_captured(&home);
}

#[test]
fn a_login_counts_even_when_the_cli_fails_afterwards() {
    let (home, ended) = log_in(&[LOG_IN, "exit 3"]);
    ended.expect(0);
    assert_captured(&home);
}

#[test]
fn a_cli_that_leaves_no_credential_fails_the_login_with_the_names_of_what_it_left() {
    let (home, ended) = log_in(&["write other.json SECRET-CONTENT", "write sub/more.txt SECRET-CONTENT"]);
    let ended = ended.expect(4);
    assert!(ended.err.contains("other.json") && ended.err.contains("sub/more.txt"), "{}", ended.err);
    assert!(!format!("{}{}", ended.err, ended.out).contains("SECRET-CONTENT"));
    home.run(&["token", "p", "acme"]).expect(3);

    let (_, ended) = log_in(&["exit 7"]);
    let ended = ended.expect(4);
    assert!(ended.err.contains("exit code 7") && ended.err.contains("wrote no file"), "{}", ended.err);
}

#[test]
fn a_login_for_another_provider_is_stored_as_that_providers() {
    let home = acme(Place::Docker, &[r#"write auth.json {"anthropic":{"type":"api","key":"AAA"}}"#]);
    let entry = json!({"file": "auth.json", "format": "json", "kind": "api_key", "provider": "*",
        "when": {"/*/type": "api"}, "fields": {"key": "/*/key"}});
    acme::describe(&home, json!({"capture": [entry]}));
    home.run(&LOGIN).expect(0);
    home.assert_nothing_left();
    assert_eq!(home.run(&["token", "p", "anthropic"]).expect(0).out, "AAA\n");
    home.run(&["token", "p", "acme"]).expect(3);
}

#[test]
fn a_login_that_cannot_be_taken_fails_with_the_reason() {
    let home = acme(Place::Docker, &[r#"write auth.json {"mode":"agent","a":"AAA","r":"RRR"}"#]);
    let refused = json!({"file": "auth.json", "format": "json", "kind": "fields", "when": {"/mode": "agent"},
        "unsupported": "an agent signs each request"});
    acme::describe(&home, json!({"capture": [refused]}));
    let ended = home.run(&LOGIN).expect(4);
    assert!(ended.err.contains("cannot be taken: an agent signs each request"), "{}", ended.err);
    home.assert_nothing_left();
}

#[test]
fn a_cli_that_ignores_sigterm_ends_within_the_grace() {
    let home = acme(Place::Docker, &["ignore-signal TERM", LOG_IN, "stay"]);
    let start = Instant::now();
    home.run(&LOGIN).expect(0);
    // Three seconds until it is stable, five of grace.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    home.assert_nothing_left();
    assert_captured(&home);
}

#[test]
fn ctrl_c_goes_to_the_cli() {
    let home = acme(Place::Docker, &["on-signal INT exit 5", "write half.json {}", "print ready", "stay"]);
    let running = until(&home, "ready", &[]);
    running.signal(Signal::INT);
    let ended = running.end().expect(130);
    assert!(!ended.err.contains("half.json"), "{}", ended.err);
    home.assert_nothing_left();
}

#[test]
fn ctrl_c_twice_ends_the_login() {
    let home = acme(Place::Docker, &["on-signal INT print first", "print ready", "stay"]);
    let running = until(&home, "ready", &[]);
    running.signal(Signal::INT);
    running.out.wait_for("first");
    running.signal(Signal::INT);
    running.end().expect(130);
    home.assert_nothing_left();
}

#[test]
fn ctrl_c_after_the_login_still_captures() {
    let home = acme(Place::Docker, &[LOG_IN, "print ready", "stay"]);
    let running = until(&home, "ready", &[]);
    running.signal(Signal::INT);
    running.end().expect(0);
    assert_captured(&home);
    home.assert_nothing_left();
}

#[test]
fn sigterm_ends_the_login() {
    let home = acme(Place::Docker, &["print ready", "stay"]);
    let running = until(&home, "ready", &[]);
    running.signal(Signal::TERM);
    let ended = running.end().expect(130);
    assert!(!ended.err.contains("Terminated"), "the shell around the CLI is quiet: {}", ended.err);
    home.assert_nothing_left();
}

#[test]
fn the_time_limit_ends_the_login() {
    let home = acme(Place::Docker, &["write half.json {}", "print ready", "stay"]);
    let ended = until(&home, "ready", &["--timeout", "1s"]).end().expect(4);
    assert!(ended.err.contains("longer than 1 s") && ended.err.contains("half.json"), "{}", ended.err);
    home.assert_nothing_left();
}

#[test]
fn without_an_engine_nothing_is_attempted() {
    let home = acme(Place::Docker, &[LOG_IN]);
    let ended = home.run(&[&LOGIN[..], &["--engine", "unix:///nonexistent.sock"]].concat()).expect(5);
    assert!(ended.err.contains("unix:///nonexistent.sock"), "{}", ended.err);
    let ended = home.run(&[&LOGIN[..], &["--image", "localhost/authenticate-test/none:none"]].concat());
    let ended = ended.expect(5);
    assert!(ended.err.contains("localhost/authenticate-test/none:none"), "{}", ended.err);
    home.assert_nothing_left();
}
