//! A key in the wrong place of a command line is never repeated, and a plain slip still is.

use crate::harness::{CANARY, Home, KEY, code};

#[test]
fn a_key_in_a_wrong_place_is_not_repeated() {
    let home = Home::new();
    let stdin = format!("--api-key-stdin={KEY}");
    let json = format!("--json={KEY}");
    let glued = format!("--api-key-stdin{KEY}");
    let (set, target, path) = (format!("{KEY}/"), format!("openai:{KEY}/x"), format!("{KEY}/x"));
    let wrong: [&[&str]; 17] = [
        &["demo", "openai", &stdin],
        &["demo", "openai", &json],
        &["demo", "openai", &glued],
        &["demo", "openai", KEY],
        &["demo", KEY],
        &["token", "demo", KEY],
        &["token", "demo", "openai", KEY],
        &["demo", &target],
        &[&path, "openai"],
        &["demo", "openai", "--set", &set],
        &["demo", "openai", "--mode", KEY],
        &["demo", "openai", "--timeout", KEY],
        &["demo", "codex", "--mode", "oauth", "--engine", KEY],
        &["image", "build", KEY],
        &["image", KEY],
        &["providers", "show", KEY],
        &["completions", KEY],
    ];
    for arguments in wrong {
        let outcome = home.authenticate(arguments).exits(code::USAGE);
        outcome.does_not_say(CANARY).says("error: ");
    }
    assert!(!home.data().exists());
}

#[test]
fn a_password_in_an_engines_url_is_not_repeated() {
    let home = Home::new();
    let url = "tcp://me:CANARY@127.0.0.1:9";
    home.authenticate(["demo", "codex", "--mode", "oauth", "--engine", url])
        .exits(code::USAGE)
        .says("takes no user and no password")
        .does_not_say(CANARY);
    home.authenticate(["demo", "codex", "--mode", "oauth"])
        .env("DOCKER_HOST", url)
        .exits(code::ENGINE)
        .says("tcp://...@127.0.0.1:9 (DOCKER_HOST): ")
        .does_not_say(CANARY);
}

#[test]
fn a_slip_is_still_shown() {
    let home = Home::new();
    home.authenticate(["demo", "openia"]).exits(code::USAGE).says("unknown provider \"openia\"");
    home.authenticate(["demo", "openai", "--mode", "oatuh"]).exits(code::USAGE).says("'oatuh'").says("oauth");
    home.authenticate(["demo", "openai", "extra"]).exits(code::USAGE).says("'extra'");
    home.authenticate(["demo", "openai", "--api-key-stdni"]).exits(code::USAGE).says("'--api-key-stdin'");
    home.authenticate(["demo", "a/b"]).exits(code::USAGE).says("\"a/b\"");
    home.authenticate(["demo", "openai:a/b"]).exits(code::USAGE).says("\"a/b\" is not a name");
}
