//! A merged descriptor and where each part of it came from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::registry::{Provider, merge};

/// A provider as one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The whole descriptor.
    pub value: Value,
    /// The origin of each field: `bundled` or a file's path, by place (`api_key.env_var`).
    pub origins: BTreeMap<String, String>,
}

/// Merges the files of a provider and keeps account of who said what.
pub fn merged(provider: &Provider) -> Merged {
    let mut value = Value::Object(serde_json::Map::new());
    let mut origins = BTreeMap::new();
    for layer in provider.layers() {
        let content = layer.value();
        merge(&mut value, &content);
        record(&content, "", &layer.origin, &mut origins);
    }
    origins.retain(|place, _| find(&value, place).is_some());
    Merged { value, origins }
}

fn record(value: &Value, place: &str, origin: &str, origins: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if place.is_empty() || !map.is_empty() => {
            for (key, value) in map {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                record(value, &place, origin, origins);
            }
        }
        _ => {
            origins.insert(place.to_owned(), origin.to_owned());
        }
    }
}

fn find<'a>(value: &'a Value, place: &str) -> Option<&'a Value> {
    // A key may itself contain a dot (a file's name), so each prefix is tried.
    let map = value.as_object()?;
    if let Some(found) = map.get(place) {
        return Some(found);
    }
    place.match_indices('.').find_map(|(at, _)| find(map.get(&place[..at])?, &place[at + 1..]))
}
