//! The capture maps of the bundled descriptors, on the files in `bundled.yaml`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Choice, Login, read};
use crate::{credential::Metadata, provider::Registry};

/// A vendor's file with the credential in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    provider: String,
    file: String,
    text: String,
    credential: Value,
    #[serde(rename = "for")]
    provider_of: Option<String>,
    account: Option<String>,
    plan: Option<String>,
    host: Option<String>,
    #[serde(default)]
    scopes: String,
    expires_at: Option<i64>,
}

fn samples() -> Vec<Sample> {
    serde_yaml::from_str(include_str!("bundled.yaml")).expect("samples")
}

#[test]
fn read_finds_each_sample_by_the_bundled_descriptor() {
    let registry = Registry::bundled();
    for sample in samples() {
        let provider = registry.get(&sample.provider).expect("bundled");
        let login = Login::with(&sample.file, &sample.text);
        let found = read(login.path(), &provider.capture, &Choice::any_provider()).expect("readable");
        let found = found.unwrap_or_else(|| panic!("{}: {} holds none", sample.provider, sample.file));
        assert_eq!(found.provider, sample.provider_of, "{}", sample.provider);
        let credential: Value = serde_json::from_slice(&found.credential.encode()).expect("JSON");
        assert_eq!(credential, sample.credential, "{}", sample.provider);
        let metadata = Metadata {
            account: sample.account,
            plan: sample.plan,
            host: sample.host,
            scopes: sample.scopes.split_whitespace().map(str::to_owned).collect(),
            expires_at: sample.expires_at.map(|at| Timestamp::from_second(at).expect("a time")),
            ..Metadata::default()
        };
        let whole_seconds =
            found.metadata.expires_at.map(|at| Timestamp::from_second(at.as_second()).expect("a time"));
        assert_eq!(Metadata { expires_at: whole_seconds, ..found.metadata }, metadata, "{}", sample.provider);
    }
}

#[test]
fn bundled_capture_maps_all_have_a_sample() {
    let registry = Registry::bundled();
    let maps = registry.iter().flat_map(|p| {
        p.capture
            .iter()
            .filter(|entry| entry.unsupported.is_none())
            .map(|entry| (p.name.clone(), entry.kind.to_string()))
    });
    let kind = |sample: &Sample| sample.credential["type"].as_str().expect("a kind").to_owned();
    let have: BTreeSet<_> = samples().iter().map(|sample| (sample.provider.clone(), kind(sample))).collect();
    assert_eq!(maps.collect::<BTreeSet<_>>(), have);
}
