//! `authenticate doctor`, where there is no engine.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;
use test_support::{CANARY, Home, KEY, code};

fn check(report: &Value, what: &str) -> Value {
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["check"] == what).unwrap_or_else(|| panic!("{what}: {report}")).clone()
}

#[test]
fn each_problem_comes_with_its_fix() {
    let home = Home::new();
    let outcome = home.authenticate(["doctor", "--json"]).exits(code::ENGINE);
    let report = outcome.json();
    assert_eq!(report["ok"], false);
    assert_eq!(check(&report, "providers")["ok"], true);
    let store = check(&report, "store");
    assert_eq!(
        (&store["ok"], &store["detail"]),
        (&true.into(), &"none yet; the first login creates it".into())
    );
    let engine = check(&report, "engine");
    assert_eq!(engine["ok"], false);
    assert!(engine["detail"].as_str().expect("text").contains("unix:///nonexistent/docker.sock"), "{engine}");
    assert!(engine["fix"].as_str().expect("a fix").contains("unset it"), "{engine}");
    assert_eq!(outcome.stderr, "");
    assert!(!home.data().exists());
}

#[test]
fn text_has_each_problem_with_its_fix() {
    let home = Home::new();
    home.stores("openai", KEY);
    let outcome = home.authenticate(["doctor"]).exits(code::ENGINE);
    outcome.prints("ok       providers: ").prints(&format!("ok       store: {}", home.database().display()));
    outcome.prints("problem  engine: no container engine answered").prints("         fix: ");
    outcome.does_not_say(CANARY);
}

/// That is how it should be, and not a problem.
#[test]
fn locked_store_is_not_a_problem() {
    let home = Home::new();
    home.stores("openai", KEY);
    let rekey = ["store", "rekey", "--source", "passphrase", "--passphrase-stdin"];
    home.authenticate(rekey).input("correct horse").exits(code::DONE);
    // The engines are another matter.
    let report = home.authenticate(["doctor", "--json"]).exits(code::ENGINE).json();
    let store = check(&report, "store");
    assert_eq!((&store["ok"], &store["fix"]), (&true.into(), &Value::Null));
    let detail = store["detail"].as_str().expect("text");
    assert!(
        detail.contains("locked with a passphrase")
            && detail.contains("unlock it with: authenticate store unlock"),
        "{detail}"
    );
    let says = format!("ok       store: {}, locked with a passphrase", home.database().display());
    home.authenticate(["doctor"]).exits(code::ENGINE).prints(&says);
    // With the passphrase all of it is looked at.
    let file = home.write("passphrase", "correct horse");
    let report =
        home.authenticate(["doctor", "--json"]).env("AUTHENTICATE_PASSPHRASE_FILE", file).exits(code::ENGINE);
    assert_eq!(check(&report.json(), "store")["detail"], home.database().to_str().expect("text"));
    let wrong = home.write("wrong", "incorrect horse");
    let report =
        home.authenticate(["doctor", "--json"]).env("AUTHENTICATE_PASSPHRASE_FILE", wrong).exits(code::STORE);
    assert_eq!(check(&report.json(), "store")["ok"], false);
}

#[test]
fn wrong_descriptor_and_corrupt_store_are_reported() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.write("config/providers/acme.yaml", "labl: x\n");
    fs::write(home.database(), "broken").expect("written");
    let report = home.authenticate(["doctor", "--json"]).exits(code::USAGE).json();
    let providers = check(&report, "providers");
    assert!(providers["detail"].as_str().expect("text").contains("acme.yaml:1:1"), "{providers}");
    let store = check(&report, "store");
    assert!(store["detail"].as_str().expect("text").contains("is damaged"), "{store}");
    assert!(store["fix"].as_str().expect("a fix").starts_with("keep a copy"), "{store}");
    fs::remove_file(home.config().join("providers/acme.yaml")).expect("removed");
    home.authenticate(["doctor", "--json"]).exits(code::STORE);
}

#[test]
fn json_has_each_problem_with_its_fix() {
    let home = Home::new();
    home.stores("openai", KEY);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
    mode(&home.database(), 0o644);
    let (logins, turns) = (home.data().join("logins"), home.data().join("turns"));
    for directory in [&logins, &turns] {
        fs::create_dir_all(directory).expect("made");
        mode(directory, 0o777);
    }
    fs::write(logins.join("x.lock"), "").expect("written");
    let outcome = home.authenticate(["doctor", "--json"]).exits(code::STORE);
    let report = outcome.json();
    let fix = |what| check(&report, what)["fix"].as_str().expect("a fix").to_owned();
    assert_eq!(fix("store"), format!("run `chmod 600 {}`", home.database().display()));
    let both = format!("run `chmod 700 {}`; run `chmod 700 {}`", logins.display(), turns.display());
    assert_eq!(fix("locks"), both);
    for check in report["checks"].as_array().expect("a list") {
        assert_eq!(check["ok"] == true, check["fix"].is_null(), "{check}");
    }
    let says = format!(
        "could not clean up after logins that were killed: cannot use {}: other users",
        logins.display()
    );
    assert!(outcome.stderr.contains(&says), "{outcome:?}");
    mode(&home.database(), 0o600);
    home.authenticate(["doctor"])
        .exits(code::STORE)
        .prints(&format!("problem  locks: {}: other users", logins.display()));
}

#[test]
fn every_configuration_file_is_checked() {
    let home = Home::new();
    home.write("config/config.yaml", "store: {key_source: sheet}\n");
    home.write("config/projects/shop.yaml", "engin: x\n");
    home.write("config/projects/my shop.yaml", "");
    let report = home.authenticate(["doctor", "--json"]).exits(code::USAGE).json();
    for (what, says) in [
        ("settings", "config.yaml:1:"),
        ("projects", "shop.yaml:1:1"),
        ("projects", "my shop.yaml: the file's name"),
    ] {
        let check = check(&report, what);
        assert!(check["detail"].as_str().expect("text").contains(says), "{check}");
        assert!(check["fix"].is_string(), "{check}");
    }
}

/// A script that asks only for the exit code may not read to the end.
#[test]
fn exit_code_is_the_same_if_the_reader_closes_the_output() {
    let home = Home::new();
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        home.authenticate(arguments).stdout(writer).exits(code::ENGINE);
    }
}
