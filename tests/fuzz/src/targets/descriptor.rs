//! A provider's descriptor.

use std::fs;

use authenticate::{
    config::{
        Paths,
        yaml::{self, Problem},
    },
    credential::Name,
    provider::{
        Descriptor, Registry,
        registry::{bundled_files, lint_text},
    },
};

use crate::canary::CANARY;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let value = yaml::value("f.yaml", text);
    let named = value.as_ref().ok().and_then(|value| value.get("name")?.as_str()?.parse::<Name>().ok());
    let stem = named.as_ref().map_or("acme", Name::as_str);
    let problems = lint_text(None, "f.yaml", stem, text);
    if !problems.is_empty() {
        explained(text, &problems);
        if let Ok(value) = value {
            // A secret that was put where its place belongs is not repeated.
            let secrets = ["device", "browser", "client_credentials", "token_exchange"];
            let put = secrets.iter().filter_map(|mode| value.get(mode)?.get("client_secret")?.as_str());
            if put.filter(|text| text.contains(CANARY)).count() == text.matches(CANARY).count() {
                assert!(!yaml::join(&problems).contains(CANARY), "{}", yaml::join(&problems));
            }
        }
        return;
    }
    // What lints clean loads, over the bundled one of that name or alone.
    let directory = tempfile::tempdir().expect("a directory");
    let paths = Paths::new(directory.path(), directory.path());
    fs::create_dir(paths.providers()).expect("made");
    fs::write(paths.providers().join(format!("{stem}.yaml")), text).expect("written");
    let registry = Registry::load_one(&paths, stem);
    assert_eq!(registry.problems_of(stem), []);
    let provider = registry.by_name(stem).expect("it is there");
    let descriptor: &Descriptor = provider;
    assert_eq!(provider.layers().len(), 1 + usize::from(bundled_files().any(|(name, _)| name == stem)));
    for entry in &descriptor.capture {
        entry.check().expect("a map that lints clean can be used");
    }
    // Its JSON is stable, says the same, and lints as clean.
    let json = serde_json::to_string(descriptor).expect("JSON");
    let again: Descriptor = serde_json::from_str(&json).expect("a descriptor");
    assert_eq!(&again, descriptor);
    assert_eq!(serde_json::to_string(&again).expect("JSON"), json);
    assert_eq!(lint_text(None, "f.json", stem, &json), [], "{json}");
}

/// Problems are few, short, each on one printable line, and at a place that the file has.
pub fn explained(text: &str, problems: &[Problem]) {
    assert!(!problems.is_empty());
    // To YAML a carriage return ends a line, too.
    let lines = text.matches(['\n', '\r']).count() as u64 + 2;
    for problem in problems {
        let (line, column) = problem.at.unwrap_or((1, 1));
        assert!(line >= 1 && column >= 1 && line <= lines, "{problem}");
        assert!(!problem.message.is_empty());
    }
}
