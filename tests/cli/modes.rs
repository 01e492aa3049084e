//! A provider with several modes: which one it is to be.

use rustix::process::Signal;
use test_support::{Home, code, pty::Session};

const KEY: &str = "sk-ant-0123456789-abcdefghij";

#[test]
fn several_modes_without_a_terminal_are_refused() {
    let home = Home::new();
    home.authenticate(["demo", "claude"])
        .exits(code::USAGE)
        .says("claude has several modes")
        .says("use --mode oauth or --mode api_key");
    assert!(home.stored().is_empty());
}

#[test]
fn given_key_decides_the_mode() {
    let home = Home::new();
    home.authenticate(["demo", "claude", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    assert_eq!(home.keys(), [("default/claude/default".to_owned(), KEY.to_owned())]);
}

#[test]
fn mode_is_chosen_at_a_terminal() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "claude"], &[]);
    session.shows("Authenticate Claude Code").shows("in a container").shows("API key").masks();
    session.types("\x1b[B\r");
    session.shows("API key for Claude Code").masks();
    session.types(&format!("{KEY}\r"));
    let shown = session.exits(code::DONE);
    assert!(!shown.contains(KEY), "{shown:?}");
    assert_eq!(home.keys(), [("default/claude/default".to_owned(), KEY.to_owned())]);
}

#[test]
fn first_choice_is_the_vendors_own_login() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "claude"], &[]);
    session.shows("API key").masks();
    session.types("\r");
    // It needs an engine, and there is none.
    let shown = session.exits(code::ENGINE);
    assert!(shown.contains("no container engine answered"), "{shown}");
}

#[test]
fn cancelled_choice_does_nothing() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "claude"], &[]);
    session.shows("API key").masks();
    session.types("\x1b");
    session.exits(code::INTERRUPTED);
    assert!(home.stored().is_empty());
}

#[test]
fn mode_that_the_provider_lacks_is_refused() {
    let home = Home::new();
    home.authenticate(["demo", "openai", "--mode", "oauth"])
        .exits(code::USAGE)
        .says("openai has no mode oauth; it has api_key")
        .says("hint: use --mode api_key");
    home.authenticate(["demo", "openai", "--mode", "oath"]).exits(code::USAGE).says("oauth");
}

/// The key would be dropped without a word.
#[test]
fn key_with_another_mode_is_refused() {
    let home = Home::new();
    home.authenticate(["demo", "claude", "--mode", "oauth", "--api-key-stdin"])
        .input(KEY)
        .exits(code::USAGE)
        .does_not_say("engine");
}

/// Whoever is asked and whoever waits for signals see the same one, in either order: often, so that both come first.
#[test]
fn terminal_is_restored_however_a_question_ends() {
    let home = Home::new();
    for _ in 0..6 {
        let mut session = Session::start(&home, ["demo", "claude"], &[]);
        session.shows("API key").masks();
        session.types("\x03");
        session.exits(code::INTERRUPTED);
        for signal in [Signal::TERM, Signal::QUIT, Signal::HUP] {
            let session = Session::start(&home, ["demo", "claude"], &[]);
            session.shows("API key").masks();
            session.signals(signal);
            session.exits(code::INTERRUPTED);
        }
    }
}

#[test]
fn signal_at_a_key_prompt_restores_the_echo() {
    let home = Home::new();
    for signal in [Signal::INT, Signal::TERM, Signal::QUIT] {
        let session = Session::start(&home, ["demo", "openai"], &[]);
        session.shows("API key for OpenAI").masks();
        session.signals(signal);
        session.exits(code::INTERRUPTED);
    }
}
