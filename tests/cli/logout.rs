//! `authenticate logout`

use crate::harness::{CANARY, Home, KEY, code, files_below};

#[test]
fn what_is_removed_is_gone_from_the_disk() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["logout", "demo", "openai"])
        .exits(code::DONE)
        .says("removed openai from this machine; it was not revoked at the vendor");
    assert!(home.stored().is_empty());
    for file in files_below(&home.data()) {
        let bytes = std::fs::read(&file).expect("read");
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()), "{}", file.display());
    }
    home.authenticate(["token", "demo", "openai"]).exits(code::NO_CREDENTIAL);
}

#[test]
fn others_stay() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.stores("openai:work", KEY);
    home.authenticate(["demo", "openai", "--set", "team", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    home.authenticate(["logout", "demo", "openai:work"]).exits(code::DONE);
    home.authenticate(["logout", "demo", "openai", "--set", "team"]).exits(code::DONE);
    let left: Vec<_> = home.stored().into_iter().map(|(address, _)| address).collect();
    assert_eq!(left, ["default/openai/default"]);
}

#[test]
fn json_says_what_was_removed() {
    let home = Home::new();
    home.stores("openai:work", KEY);
    let outcome = home.authenticate(["logout", "demo", "openai:work", "--json"]).exits(code::DONE);
    let removed = outcome.json();
    assert_eq!((&removed["provider"], &removed["profile"]), (&"openai".into(), &"work".into()));
    assert_eq!((&removed["removed"], &removed["erased"]), (&true.into(), &true.into()));
}

#[test]
fn nothing_to_remove_is_exit_code_3() {
    let home = Home::new();
    home.authenticate(["logout", "demo", "openai"])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for openai")
        .says("hint: see what is stored with: authenticate status");
    assert!(!home.data().exists());
    home.authenticate(["logout", "demo", "opnai"]).exits(code::USAGE).says("did you mean \"openai\"?");
}

#[test]
fn a_credential_outlives_its_descriptor() {
    let home = Home::new();
    let descriptor = home.write("config/providers/acme.yaml", "label: Acme\n");
    home.stores("acme", KEY);
    std::fs::remove_file(descriptor).expect("removed");
    home.authenticate(["token", "demo", "acme"]).exits(code::DONE).prints(KEY);
    home.authenticate(["logout", "demo", "acme"]).exits(code::DONE);
    assert!(home.stored().is_empty());
}
