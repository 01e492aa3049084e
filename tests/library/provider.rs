//! Providers that a program describes itself.

use authenticate::{
    Client, ConfigError, Error,
    provider::{Descriptor, Registry},
    resolve::Source,
    status::StatusEntry,
};
use serde_json::{Value, json};
use test_support::{Home, KEY};

use crate::script::{block_on, in_memory, key, logs_in};

fn descriptor(value: Value) -> Descriptor {
    serde_json::from_value(value).expect("a descriptor")
}

fn labels(entries: Vec<StatusEntry>) -> Vec<(String, String)> {
    entries.into_iter().map(|entry| (entry.address.provider.to_string(), entry.label)).collect()
}

#[test]
fn programs_provider_works_like_any_other() {
    let home = Home::new();
    let acme = descriptor(json!({
        "name": "acme", "label": "Acme", "aliases": ["ac"],
        "api": {"base_url": "https://acme.example", "shape": "own"},
    }));
    let client = in_memory(&home).provider(acme).expect("described");
    block_on(async {
        assert!(!client.is_authenticated("acme").await.expect("known"));
        logs_in(&client, "ac", key(KEY)).await.expect("stored");
        for name in ["acme", "ac"] {
            let found = client.credential(name).await.expect("found");
            assert_eq!((found.address.provider.as_str(), &found.source), ("acme", &Source::Stored));
            assert_eq!(
                client.headers(name).await.expect("headers")[0].value.expose(),
                format!("Bearer {KEY}")
            );
        }
        assert_eq!(labels(client.list().await.expect("listed")), [("acme".to_owned(), "Acme".to_owned())]);
        client
            .clone()
            .with_credential("ac", authenticate::credential::Credential::api_key("k"))
            .expect("known");
        client.logout("ac", None).await.expect("removed");
    });
    assert!(client.problems().is_empty());
    let other = in_memory(&home);
    assert!(
        matches!(
            block_on(other.is_authenticated("acme")),
            Err(Error::Config(ConfigError::UnknownProvider(_)))
        ),
        "it is nobody else's"
    );
}

#[test]
fn programs_provider_overrides_the_users_file_field_by_field() {
    let home = Home::new();
    home.write("config/providers/openai.yaml", "label: Of the user\naliases: [oai]\n");
    let client = in_memory(&home);
    let label = |client: &Client| block_on(client.status("oai")).expect("known")[0].label.clone();
    assert_eq!(label(&client), "Of the user");
    let client =
        client.provider(descriptor(json!({"name": "openai", "label": "Of the program"}))).expect("right");
    assert_eq!(label(&client), "Of the program");
    // The pattern of the bundled one.
    assert!(block_on(logs_in(&client, "openai", key("half-pas"))).is_err());
    let client =
        client.provider(descriptor(json!({"name": "openai", "aliases": ["oai", "late"]}))).expect("right");
    assert_eq!(label(&client), "Of the program");
    let client = client.provider(descriptor(json!({"name": "claude", "label": "Later"}))).expect("right");
    let claude = block_on(client.status("claude")).expect("known").remove(0);
    assert_eq!((claude.label.as_str(), claude.modes.len()), ("Later", 3));
}

#[test]
fn invalid_descriptor_is_refused_with_all_problems() {
    let home = Home::new();
    let wrong = |value| match in_memory(&home).provider(descriptor(value)) {
        Err(Error::Config(ConfigError::Descriptor(problems))) => {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    };
    let api = json!({"base_url": "ftp://acme.example", "shape": "own"});
    let said = wrong(json!({"name": "acme", "modes": ["oauth"], "api": api}));
    assert!(
        said.contains("program/acme.yaml:") && said.contains("api.base_url") && said.contains("command"),
        "{said}"
    );
    let said = wrong(json!({"name": "acme", "aliases": ["claude"]}));
    assert!(said.contains("\"claude\" of acme already belongs to claude"), "{said}");
    let unnamed = in_memory(&home).provider(descriptor(json!({"label": "Acme"})));
    assert!(matches!(unnamed, Err(Error::Config(ConfigError::Name(_)))), "{unnamed:?}");
}

#[test]
fn every_bundled_descriptor_can_be_given_unchanged() {
    let home = Home::new();
    let plain = in_memory(&home);
    let with = |client: Client, known: &Descriptor| client.provider(known.clone()).expect("right");
    let client = Registry::bundled().iter().fold(plain.clone(), |client, known| with(client, known));
    assert_eq!(block_on(client.list_all()).expect("listed"), block_on(plain.list_all()).expect("listed"));
}
