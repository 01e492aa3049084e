//! `authenticate logout`

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use authenticate::{
    config::Paths,
    credential::{Credential, Metadata, OAuth},
};
use test_support::{CANARY, Home, KEY, code, files_below, pty::Session};

#[test]
fn removed_credential_is_erased_from_the_disk() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["logout", "demo", "openai"]).exits(code::DONE).says(
        "removed openai from this machine; it stays valid at the vendor until it is removed at https://",
    );
    assert!(home.stored().is_empty());
    for file in files_below(&home.data()) {
        let bytes = std::fs::read(&file).expect("read");
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()), "{}", file.display());
    }
    home.authenticate(["token", "demo", "openai"]).exits(code::NO_CREDENTIAL);
}

#[test]
fn logout_keeps_other_credentials() {
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
fn json_reports_what_was_removed() {
    let home = Home::new();
    home.stores("openai:work", KEY);
    let outcome = home.authenticate(["logout", "demo", "openai:work", "--json"]).exits(code::DONE);
    let removed = outcome.json();
    assert_eq!((&removed["provider"], &removed["profile"]), (&"openai".into(), &"work".into()));
    assert_eq!((&removed["removed"], &removed["erased"]), (&true.into(), &true.into()));
}

#[test]
fn logout_of_nothing_exits_with_code_3() {
    let home = Home::new();
    home.authenticate(["logout", "demo", "openai"])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for openai")
        .says("hint: list the stored credentials with: authenticate status");
    assert!(!home.data().exists());
    home.authenticate(["logout", "demo", "opnai"]).exits(code::USAGE).says("did you mean \"openai\"?");
}

#[test]
fn credential_without_a_descriptor_can_be_removed() {
    let home = Home::new();
    let descriptor = home.write("config/providers/acme.yaml", "label: Acme\n");
    home.stores("acme", KEY);
    std::fs::remove_file(descriptor).expect("removed");
    home.authenticate(["token", "demo", "acme"]).exits(code::DONE).prints(KEY);
    home.authenticate(["logout", "demo", "acme"]).exits(code::DONE);
    assert!(home.stored().is_empty());
}

#[test]
fn logout_all_removes_one_set_or_every_set() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.stores("mistral", KEY);
    home.authenticate(["demo", "openai", "--set", "team", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    home.write("config/projects/shop.yaml", "credential_set: default\n");
    home.authenticate(["logout", "shop", "--all"])
        .exits(code::DONE)
        .says("removed mistral")
        .says("removed openai");
    let left: Vec<_> = home.stored().into_iter().map(|(address, _)| address).collect();
    assert_eq!(left, ["team/openai/default"]);
    let removed = home.authenticate(["logout", "--all", "--json"]).exits(code::DONE).json();
    assert_eq!(removed["credentials"][0]["set"], "team");
    assert_eq!(removed["credentials"][0]["revocation"], "not_offered");
    assert!(home.stored().is_empty());
    home.authenticate(["logout", "--all"]).exits(code::DONE).says("no credentials are stored");
    home.authenticate(["logout", "demo", "openai", "--all"]).exits(code::USAGE);
    home.authenticate(["logout", "demo"]).exits(code::USAGE);
}

/// Any word would name the set that all projects without a file share.
#[test]
fn logout_all_takes_only_a_project_with_a_file() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.stores("openai", KEY);
    for (word, problem) in [
        ("openai", "openai is a provider, and not a project with a file"),
        ("shpo", "\"shpo\" is neither a provider nor a project with a file (did you mean \"shop\"?)"),
        ("demo", "\"demo\" is neither a provider nor a project with a file"),
    ] {
        home.authenticate(["logout", word, "--all"])
            .exits(code::USAGE)
            .says(problem)
            .says("set default: authenticate logout --all --set default");
    }
    assert_eq!(home.stored().len(), 1);
    home.authenticate(["logout", "--all", "--set", "default"]).exits(code::DONE).says("removed openai");
}

#[test]
fn revoke_keeps_a_credential_that_cannot_be_revoked() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["revoke", "demo", "openai"])
        .exits(code::USAGE)
        .says("openai cannot be revoked from here, and is kept")
        .says("remove it at https://");
    assert_eq!(home.stored().len(), 1);
    home.authenticate(["revoke", "demo", "groq"]).exits(code::NO_CREDENTIAL);
    home.authenticate(["revoke", "demo", "nonesuch"]).exits(code::USAGE);
}

/// A home with a login that its vendor would revoke, in a store that is locked.
fn locked() -> Home {
    let home = Home::new();
    let tokens = OAuth {
        access_token: KEY.into(),
        refresh_token: Some("refresh-me".into()),
        id_token: None,
        extra: BTreeMap::new(),
    };
    home.put("codex", &Credential::OAuth(tokens), &Metadata::default());
    home.authenticate(["store", "rekey", "--source", "passphrase", "--passphrase-stdin"])
        .input("correct horse")
        .exits(code::DONE);
    home
}

fn count(home: &Home) -> u64 {
    let status = home.authenticate(["store", "status", "--json"]).exits(code::DONE).json();
    status["records"].as_u64().expect("a number")
}

/// It stays valid there, and nobody but its owner can do anything about that.
#[test]
fn logout_of_an_unreadable_credential_reports_that_it_was_not_revoked() {
    let home = locked();
    home.authenticate(["revoke", "demo", "codex"]).exits(code::STORE).says("is locked with a passphrase");
    assert_eq!(count(&home), 1);
    home.authenticate(["logout", "demo", "codex"])
        .exits(code::DONE)
        .says("warning: codex could not be read, and was NOT revoked at the vendor, where it stays valid: ")
        .says("is locked with a passphrase")
        .says("removed codex from this machine; it was not revoked at the vendor");
    assert_eq!(count(&home), 0);
    let home = locked();
    let json = home.authenticate(["logout", "demo", "codex", "--json"]).exits(code::DONE).json();
    assert_eq!((&json["removed"], &json["revocation"]), (&true.into(), &"unreadable".into()));
    assert!(json["revocation_error"].as_str().expect("a text").contains("is locked"), "{json}");
    let home = locked();
    home.authenticate(["logout", "--all"]).exits(code::DONE).says("could not be read, and was NOT revoked");
}

/// There was nothing to be done at the vendor in any case.
#[test]
fn logout_of_an_unreadable_key_without_revocation_gives_no_warning() {
    let home = locked();
    home.authenticate(["store", "unlock", "--passphrase-stdin"]).input("correct horse").exits(code::DONE);
    home.stores("openai", KEY);
    home.stores("openai:work", KEY);
    home.authenticate(["store", "lock"]).exits(code::DONE);
    home.authenticate(["logout", "demo", "openai"])
        .exits(code::DONE)
        .says(
            "removed openai from this machine; it stays valid at the vendor until it is removed at https://",
        )
        .does_not_say("warning");
    let json = home.authenticate(["logout", "demo", "openai:work", "--json"]).exits(code::DONE).json();
    assert_eq!(
        (&json["revocation"], &json["revocation_error"]),
        (&"not_offered".into(), &serde_json::Value::Null)
    );
}

/// A cancelled question cancels the logout.
#[test]
fn cancelled_passphrase_question_removes_nothing() {
    let home = locked();
    let mut session = Session::start(&home, ["logout", "demo", "codex"], &[]);
    session.shows("Passphrase of the store").masks();
    session.types("\u{3}");
    session.exits(code::INTERRUPTED);
    assert_eq!(count(&home), 1);
}

#[test]
fn json_reports_that_revocation_is_not_offered() {
    let home = Home::new();
    home.stores("openai", KEY);
    let outcome = home.authenticate(["revoke", "demo", "openai", "--json"]).exits(code::USAGE);
    assert!(outcome.stderr.contains("openai cannot be revoked from here, and is kept"), "{outcome:?}");
    let kept = outcome.json();
    assert_eq!((&kept["removed"], &kept["revocation"]), (&false.into(), &"not_offered".into()));
}

/// The failure of one does not stop the others, and each result is printed.
#[test]
fn logout_all_reports_each_result_even_if_one_fails() {
    let filled = || {
        let home = Home::new();
        for provider in ["deepseek", "mistral", "openai"] {
            home.stores(provider, KEY);
        }
        let turns = Paths::new(home.config(), home.data()).turns();
        fs::create_dir_all(&turns).expect("made");
        fs::set_permissions(&turns, fs::Permissions::from_mode(0o700)).expect("closed");
        fs::create_dir(turns.join("default~mistral~default.lock")).expect("in the way");
        home
    };
    let left = |home: &Home| home.stored().into_iter().map(|(address, _)| address).collect::<Vec<_>>();
    let home = filled();
    home.authenticate(["logout", "--all"])
        .exits(code::STORE)
        .says("removed deepseek from this machine")
        .says("error: mistral was not removed: cannot use ")
        .says("default~mistral~default.lock")
        .says("removed openai from this machine");
    assert_eq!(left(&home), ["default/mistral/default"]);
    let home = filled();
    let outcome = home.authenticate(["logout", "--all", "--set", "default", "--json"]).exits(code::STORE);
    let rows = outcome.json()["credentials"].as_array().expect("rows").clone();
    let short: Vec<_> =
        rows.iter().map(|row| (&row["provider"], &row["removed"], &row["exit_code"])).collect();
    assert_eq!(
        short,
        [
            (&"deepseek".into(), &true.into(), &serde_json::Value::Null),
            (&"mistral".into(), &false.into(), &code::STORE.into()),
            (&"openai".into(), &true.into(), &serde_json::Value::Null),
        ]
    );
    assert!(rows[1]["error"].as_str().expect("a text").contains("mistral~default.lock"), "{rows:?}");
    assert_eq!(
        (&rows[1]["revocation"], &rows[0]["error"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(left(&home), ["default/mistral/default"]);
}

/// The account to remove is never guessed.
#[test]
fn logout_of_a_missing_account_lists_the_others_and_keeps_them() {
    let home = Home::new();
    home.stores("openai:work", KEY);
    home.stores("openai:play", KEY);
    for verb in ["logout", "revoke"] {
        home.authenticate([verb, "demo", "openai"])
            .exits(code::NO_CREDENTIAL)
            .says("no credential for openai")
            .says("hint: stored accounts: openai:play, openai:work");
    }
    assert_eq!(home.stored().len(), 2);
}
