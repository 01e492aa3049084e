//! Descriptor files of the user's own that are wrong.

use std::collections::BTreeMap;

use authenticate::ConfigError;
use authenticate::credential::{Credential, Metadata, OAuth};
use serde_json::json;
use test_support::{CANARY, Home, KEY, code, runtime};

const WRONG: &str = "labl: Acme\n";

#[test]
fn wrong_descriptor_is_reported_even_if_nothing_is_stored() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", WRONG);
    for arguments in [
        &["token", "demo", "acme"][..],
        &["refresh", "demo", "acme"],
        &["logout", "demo", "acme"],
        &["status", "acme"],
        &["status", "demo", "acme"],
        &["demo", "acme", "--api-key-stdin"],
    ] {
        home.authenticate(arguments)
            .exits(code::USAGE)
            .says("acme.yaml:1:1: unknown field \"labl\"")
            .does_not_say("unknown provider");
    }
    let client = authenticate::Client::new(authenticate::config::Paths::new(home.config(), home.data()));
    for error in [
        runtime().block_on(client.is_authenticated("acme")).err(),
        runtime().block_on(client.status("acme")).err(),
    ] {
        assert!(matches!(error, Some(authenticate::Error::Config(ConfigError::Descriptor(_)))), "{error:?}");
    }
}

/// The file may say which variable it is.
#[test]
fn variable_is_not_used_while_the_descriptor_is_wrong() {
    let home = Home::new();
    let stored = "sk-0123456789-abcdefghij";
    home.stores("openai:work", stored);
    home.write("config/providers/openai.yaml", WRONG);
    home.authenticate(["token", "demo", "openai:other"])
        .env("OPENAI_API_KEY", KEY)
        .exits(code::USAGE)
        .says("openai.yaml:1:1");
    home.authenticate(["token", "demo", "openai", "--set", "team"])
        .env("OPENAI_API_KEY", KEY)
        .exits(code::USAGE)
        .says("openai.yaml:1:1")
        .does_not_say(CANARY);
    // A stored credential is found despite the wrong file.
    home.authenticate(["token", "demo", "openai"]).exits(code::DONE).prints(stored);
    home.authenticate(["token", "demo", "mistral"]).env("MISTRAL_API_KEY", KEY).exits(code::DONE);
}

#[test]
fn status_with_a_wrong_descriptor_reports_it_and_claims_nothing() {
    let home = Home::new();
    let tokens = OAuth {
        access_token: KEY.into(),
        refresh_token: Some("refresh-me".into()),
        id_token: None,
        extra: BTreeMap::new(),
    };
    home.put("codex", &Credential::OAuth(tokens), &Metadata::default());
    let status = |words: &[&str]| {
        let words = ["status", "--json"].iter().chain(words);
        home.authenticate(words).env("OPENAI_API_KEY", KEY).exits(code::DONE)
    };
    let row = |outcome: &test_support::Outcome, name: &str| {
        let rows = outcome.json()["credentials"].as_array().expect("rows").clone();
        rows.into_iter().find(|row| row["provider"] == name).expect("a row")
    };
    let right = status(&[]);
    assert_eq!(right.json()["problems"], json!([]));
    assert_eq!(
        (&row(&right, "codex")["refreshable"], &row(&right, "openai")["state"]),
        (&json!(true), &json!("ok"))
    );
    home.write("config/providers/codex.yaml", WRONG);
    home.write("config/providers/openai.yaml", WRONG);
    let wrong = status(&[]);
    let codex = row(&wrong, "codex");
    assert_eq!(
        (&codex["state"], &codex["refreshable"]),
        (&json!("ok"), &json!(false)),
        "it can still be used"
    );
    assert_eq!(row(&wrong, "openai")["state"], "error", "its variable is not");
    assert_eq!(wrong.json()["problems"].as_array().expect("problems").len(), 2);
    for file in ["codex.yaml:1:1", "openai.yaml:1:1"] {
        assert!(wrong.stderr.contains(file), "{wrong:?}");
    }
    let one = status(&["codex"]);
    assert!(one.stderr.contains("codex.yaml:1:1") && !one.stderr.contains("openai.yaml"), "{one:?}");
    assert_eq!(status(&["mistral"]).stderr, "");
}

/// It is not known any more whether its tokens may still go where they came from.
#[test]
fn credential_of_an_unknown_provider_is_not_refreshable() {
    let home = Home::new();
    let native = [("mode", "device"), ("token_url", "https://acme.example/token"), ("client_id", "c")];
    let tokens = OAuth {
        access_token: KEY.into(),
        refresh_token: Some("refresh-me".into()),
        id_token: None,
        extra: native.map(|(name, value)| (format!("login.{name}"), value.into())).into(),
    };
    home.put("acme", &Credential::OAuth(tokens), &Metadata::default());
    let refreshable = || {
        let status = home.authenticate(["status", "--json"]).exits(code::DONE).json();
        status["credentials"][0]["refreshable"].clone()
    };
    assert_eq!(refreshable(), false);
    home.authenticate(["refresh", "demo", "acme", "--force"])
        .exits(code::USAGE)
        .says("is not known any more");
    home.write("config/providers/acme.yaml", "label: Acme\n");
    assert_eq!(refreshable(), true);
}
