//! Standard output, at a terminal and in a pipe.

use std::io::pipe;

use test_support::{Home, KEY, code, pty::Session};

#[test]
fn colour_is_used_only_at_a_terminal() {
    let home = Home::new();
    let shown = Session::start(&home, ["token", "demo", "openai"], &[]).exits(code::NO_CREDENTIAL);
    assert!(shown.contains("\x1b[31;1merror:\x1b[0m"), "{shown:?}");
    // That there is none in a pipe is checked in every other test.
    home.authenticate(["token", "demo", "openai"]).exits(code::NO_CREDENTIAL).says("error: no credential");
}

/// True when a colour is set anywhere.
fn coloured(shown: &str) -> bool {
    regex_lite::Regex::new("\x1b\\[[0-9;]*m").expect("a pattern").is_match(shown)
}

#[test]
fn no_color_is_honoured() {
    let home = Home::new();
    let plain = &[("NO_COLOR", "1")];
    for arguments in [["token", "demo", "openai"], ["demo", "openai", "--oops"]] {
        let shown = Session::start(&home, arguments, plain).ends();
        assert!(!coloured(&shown), "{shown:?}");
    }
    let mut session = Session::start(&home, ["demo", "claude"], plain);
    session.shows("API key").masks();
    session.types("\x1b[B\r");
    session.shows("API key for Claude Code").masks();
    session.types("\x03");
    let shown = session.exits(code::INTERRUPTED);
    assert!(!coloured(&shown), "{shown:?}");
}

#[test]
fn closed_stdout_is_not_a_failure() {
    let home = Home::new();
    home.stores("openai", KEY);
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["providers"],
        &["providers", "--json"],
        &["providers", "show", "claude"],
        &["providers", "schema"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let outcome = home.authenticate(arguments).stdout(writer).ends();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    }
}

#[test]
fn secret_that_nobody_reads_is_a_failure() {
    let home = Home::new();
    home.stores("openai", KEY);
    for arguments in [&["token", "demo", "openai"][..], &["token", "demo", "openai", "--json"]] {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let outcome = home.authenticate(arguments).stdout(writer).ends();
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        outcome.says("cannot write to standard output: ");
    }
}

#[test]
fn closed_stderr_is_not_a_panic() {
    let home = Home::new();
    for arguments in [&["token", "demo", "openai"][..], &["statsu"], &["--oops"]] {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let outcome = home.authenticate(arguments).stderr(writer).ends();
        assert!(matches!(outcome.code, Some(2 | 3)), "{outcome:#?}");
    }
}

#[test]
fn full_device_is_a_failure() {
    let home = Home::new();
    home.stores("openai", KEY);
    for arguments in
        [&["token", "demo", "openai"][..], &["status"], &["status", "--json"], &["completions", "bash"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opened");
        home.authenticate(arguments).stdout(full).exits(code::FAILED).does_not_say(KEY);
    }
}
