//! `authenticate doctor`, where there is no engine.

use std::fs;

use serde_json::Value;

use crate::harness::{CANARY, Home, KEY, code};

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
        (&true.into(), &"none yet; the first login makes it".into())
    );
    let engine = check(&report, "engine");
    assert_eq!(engine["ok"], false);
    assert!(engine["detail"].as_str().expect("text").contains("unix:///nonexistent/docker.sock"), "{engine}");
    assert!(engine["fix"].as_str().expect("a fix").contains("unset it"), "{engine}");
    assert_eq!(outcome.stderr, "");
    assert!(!home.data().exists());
}

#[test]
fn it_is_readable_too() {
    let home = Home::new();
    home.stores("openai", KEY);
    let outcome = home.authenticate(["doctor"]).exits(code::ENGINE);
    outcome.prints("ok       providers: ").prints(&format!("ok       store: {}", home.database().display()));
    outcome.prints("problem  engine: no container engine answered").prints("         fix: ");
    outcome.does_not_say(CANARY);
}

/// That is how it should be, and not a problem.
#[test]
fn a_store_that_is_locked_with_a_passphrase_is_in_order() {
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
        detail.contains("locked with a passphrase") && detail.contains("`authenticate store unlock`"),
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
fn a_wrong_descriptor_and_a_broken_store_are_found() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.write("config/providers/acme.yaml", "labl: x\n");
    fs::write(home.database(), "broken").expect("written");
    let report = home.authenticate(["doctor", "--json"]).exits(code::USAGE).json();
    let providers = check(&report, "providers");
    assert!(providers["detail"].as_str().expect("text").contains("acme.yaml:1:1"), "{providers}");
    assert!(check(&report, "store")["detail"].as_str().expect("text").contains("is damaged"));
    fs::remove_file(home.config().join("providers/acme.yaml")).expect("removed");
    home.authenticate(["doctor", "--json"]).exits(code::STORE);
}
