//! Output generated from definitions: help, completions, manual pages, the schema.

use std::{env, fs, path::Path};

use test_support::{Home, code, json};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/help.snap");
/// Set it to anything to write the snapshot anew.
const UPDATE: &str = "UPDATE_HELP";

/// The verbs below a command, as its help lists them.
fn verbs(help: &str) -> Vec<String> {
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

fn reference(home: &Home, verb: &[String], text: &mut String) {
    let arguments = verb.iter().map(String::as_str).chain(["--help"]);
    let help = home.authenticate(arguments).env("COLUMNS", "100").exits(code::DONE).stdout;
    let title =
        ["authenticate"].into_iter().chain(verb.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    text.push_str(&format!("==== {title}\n{help}\n"));
    for below in verbs(&help) {
        reference(home, &[verb, &[below]].concat(), text);
    }
}

/// A change of the command line shows in review as a change of this file.
#[test]
fn help_is_as_reviewed() {
    let mut help = String::new();
    reference(&Home::new(), &[], &mut help);
    assert!(help.contains("==== authenticate providers lint"), "{help}");
    if env::var_os(UPDATE).is_some() {
        fs::write(SNAPSHOT, &help).expect("written");
    }
    let reviewed = fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let differs = help.lines().zip(reviewed.lines()).find(|(now, then)| now != then);
    assert!(
        help == reviewed,
        "the help has changed, first at {differs:?}; if that was meant: {UPDATE}=1 cargo test --test cli help"
    );
}

#[test]
fn every_shell_has_completions() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.authenticate(["completions", shell]).exits(code::DONE).stdout;
        for word in ["authenticate", "providers", "api-key-stdin"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new();
    let directory = home.path().join("share/man1");
    home.authenticate(["man", directory.to_str().unwrap()]).exits(code::DONE);
    let help = home.authenticate(["--help"]).exits(code::DONE).stdout;
    let pages = verbs(&help).into_iter().map(|verb| format!("authenticate-{verb}.1"));
    for page in pages.chain(["authenticate.1".into(), "authenticate-providers-lint.1".into()]) {
        let text =
            fs::read_to_string(directory.join(&page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn printed_schema_is_the_one_in_the_repository() {
    let printed = Home::new().authenticate(["providers", "schema"]).exits(code::DONE).stdout;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/provider.schema.json");
    assert!(
        fs::read_to_string(kept).expect("kept") == printed,
        "write it anew: authenticate providers schema > resources/provider.schema.json"
    );
    let schema = json(&printed);
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["extra_run_args"]["description"].is_string());
}
