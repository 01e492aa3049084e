//! Texts of others cannot act on the terminal, nor look like ours.

use test_support::{Home, code, pty::Session};

/// Clears the screen, sets the title, and turns the reading direction around.
const TRICKS: &str = "\\e[2J\\e]0;PWNED\\a\\u202e\\u2028\\u200b";

fn is_plain(text: &str) {
    let acts = |c: char| (c.is_control() && c != '\n') || authenticate::redact::is_invisible(c);
    assert!(!text.contains(acts), "{text:?}");
}

#[test]
fn escapes_in_files_are_not_printed() {
    let home = Home::new();
    home.write("config/projects/demo.yaml", &format!("\"{TRICKS}\": 1\nengine: \"{TRICKS}\"\n"));
    home.write("config/providers/a\u{1b}[2Jb.yaml", "modes: 1\n");
    home.write("config/providers/acme.yaml", &format!("label: \"{TRICKS}\"\n"));
    home.write("config/projects/c\u{202e}d.yaml", "x: 1\n");
    // C1 controls and format characters are the same to a JSON reader as their escapes.
    home.write("config/providers/other.yaml", "label: \"\\u009b2J\\u202e\\U000e0041\"\n");
    let listed = home.authenticate(["providers", "--json"]).ends().json();
    let labels: Vec<_> =
        listed["providers"].as_array().expect("a list").iter().map(|p| &p["label"]).collect();
    assert!(labels.contains(&&"\u{9b}2J\u{202e}\u{e0041}".into()), "{labels:?}");
    for arguments in [
        &["status", "demo"][..],
        &["providers"],
        &["providers", "--json"],
        &["providers", "show", "acme"],
        &["providers", "show", "other"],
        &["providers", "lint"],
        &["projects"],
        &["doctor"],
    ] {
        let outcome = home.authenticate(arguments).ends();
        is_plain(&outcome.all());
    }
}

#[test]
fn escapes_in_a_question_are_not_printed() {
    let home = Home::new();
    let field = format!("  x: {{label: \"Name{TRICKS}\", secret: false}}");
    home.write("config/providers/acme.yaml", &format!("modes: [fields]\nfields:\n{field}\n"));
    let mut session = Session::start(&home, ["demo", "acme"], &[]);
    session.shows("Name\u{fffd}[2J\u{fffd}]0;PWNED\u{fffd}\u{fffd}\u{fffd}\u{fffd} for acme");
    session.types("\x04");
    session.exits(code::INTERRUPTED);
}

#[test]
fn escapes_on_the_command_line_are_not_printed() {
    let home = Home::new();
    for trick in ["\u{1b}[2J", "a\u{202e}b", "a\u{2028}b"] {
        for arguments in
            [&["demo", trick][..], &["demo", "openai", trick], &["demo", "openai", "--mode", trick]]
        {
            is_plain(&home.authenticate(arguments).exits(code::USAGE).all());
        }
        let engine = format!("/nonexistent/{trick}");
        let login = ["demo", "codex", "--mode", "oauth", "--engine", &engine];
        is_plain(&home.authenticate(login).exits(code::ENGINE).all());
    }
}
