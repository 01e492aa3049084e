//! `authenticate status`

use authenticate::credential::{Credential, Metadata};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::{CANARY, Home, KEY, code};

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn in_hours(hours: i64) -> Metadata {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    Metadata { expires_at: Some(at), ..Metadata::default() }
}

#[test]
fn an_empty_store_is_not_made_by_looking() {
    let home = Home::new();
    home.authenticate(["status"]).exits(code::DONE).says("nothing is stored");
    let status = home.authenticate(["status", "--json"]).exits(code::DONE).json();
    assert_eq!(status["credentials"], json!([]));
    assert!(!home.data().exists());
}

#[test]
fn one_line_for_each_credential() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["demo", "openai:work", "--set", "team", "--api-key-stdin"])
        .input(KEY)
        .exits(code::DONE);
    let metadata = Metadata {
        account: Some("ann@example.com".into()),
        host: Some("ghe.example.com".into()),
        ..in_hours(5)
    };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    home.put("claude", &Credential::Token { token: KEY.into() }, &in_hours(-1));
    let outcome = home.authenticate(["status"]).exits(code::DONE);
    let lines: Vec<_> = outcome.stdout.lines().map(words).collect();
    assert_eq!(lines[0], ["PROVIDER", "SET", "PROFILE", "KIND", "ACCOUNT", "EXPIRES", "IN", "SOURCE"]);
    assert_eq!(lines[1], ["claude", "default", "default", "token", "-", "expired", "stored"]);
    assert_eq!(
        lines[2][..7],
        ["gh", "default", "default", "token", "ann@example.com", "at", "ghe.example.com"]
    );
    assert_eq!(lines[2][8..], ["h", "stored"]);
    assert_eq!(lines[3], ["openai", "default", "default", "api_key", "-", "-", "stored"]);
    assert_eq!(lines[4], ["openai", "team", "work", "api_key", "-", "-", "stored"]);
    assert_eq!(lines.len(), 5);
    outcome.does_not_say(CANARY);
}

#[test]
fn json_has_all_of_it_and_no_secret() {
    let home = Home::new();
    home.stores("openai", KEY);
    let metadata = Metadata { scopes: vec!["repo".into(), "gist".into()], ..in_hours(-1) };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    let outcome = home.authenticate(["status", "--json"]).exits(code::DONE);
    let status = outcome.json();
    let gh = &status["credentials"][0];
    assert_eq!(gh["provider"], "gh");
    assert_eq!(gh["scopes"], json!(["repo", "gist"]));
    assert_eq!(gh["expired"], true);
    let at: Timestamp = gh["expires_at"].as_str().expect("a time").parse().expect("a time");
    assert!(at < Timestamp::now());
    assert_eq!(
        status["credentials"][1],
        json!({
            "provider": "openai", "set": "default", "profile": "default", "kind": "api_key",
            "account": null, "host": null, "scopes": [], "expires_at": null, "expired": false,
            "source": "stored", "variable": null,
        })
    );
    outcome.does_not_say(CANARY);
}

#[test]
fn a_project_or_a_set_narrows_it() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.stores("openai", KEY);
    home.authenticate(["shop", "mistral", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    let providers = |arguments: &[&str]| -> Vec<String> {
        let arguments = ["status", "--json"].iter().chain(arguments);
        let status = home.authenticate(arguments).exits(code::DONE).json();
        let list = status["credentials"].as_array().expect("a list").clone();
        list.iter().map(|row| row["provider"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(providers(&[]), ["mistral", "openai"]);
    assert_eq!(providers(&["shop"]), ["mistral"]);
    assert_eq!(providers(&["demo"]), ["openai"]);
    assert_eq!(providers(&["--set", "team"]), ["mistral"]);
    assert!(providers(&["--set", "other"]).is_empty());
}

#[test]
fn keys_of_the_environment_are_shown_where_nothing_is_stored() {
    let home = Home::new();
    home.stores("deepseek", KEY);
    let status = |json: &[&str]| {
        home.authenticate(["status"].iter().chain(json))
            .env("DEEPSEEK_API_KEY", KEY)
            .env("GROQ_API_KEY", KEY)
            .env("MISTRAL_API_KEY", "  ")
            .exits(code::DONE)
    };
    let outcome = status(&[]);
    let lines: Vec<_> = outcome.stdout.lines().skip(1).map(words).collect();
    assert_eq!(lines[0], ["deepseek", "default", "default", "api_key", "-", "-", "stored"]);
    assert_eq!(lines[1], ["groq", "default", "default", "api_key", "-", "-", "env", "GROQ_API_KEY"]);
    assert_eq!(lines.len(), 2);
    outcome.does_not_say(CANARY);
    let outcome = status(&["--json"]);
    let row = &outcome.json()["credentials"][1];
    assert_eq!((&row["source"], &row["variable"]), (&"env".into(), &"GROQ_API_KEY".into()));
    outcome.does_not_say(CANARY);
}

#[test]
fn an_account_cannot_move_the_cursor() {
    let home = Home::new();
    let metadata = Metadata { account: Some("ann\x1b[2J\r\nbob".into()), ..Metadata::default() };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    // No escape code is in any output: `ends` sees to that.
    let outcome = home.authenticate(["status"]).exits(code::DONE);
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:#?}");
    assert_eq!(
        home.authenticate(["status", "--json"]).exits(code::DONE).json()["credentials"][0]["account"],
        "ann\x1b[2J\r\nbob"
    );
}
