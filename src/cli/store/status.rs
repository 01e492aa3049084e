//! `authenticate store status`

use std::path::Path;

use authenticate::{
    context::Context,
    store::{KeySource, KeyState, SCHEMA_VERSION},
};
use serde_json::json;

use crate::cli::{output, passphrase::settings_differ};

pub fn run(context: &Context, json: bool) -> anyhow::Result<()> {
    let Some(store) = context.existing_store()? else {
        if json {
            let none = json!({"file": null, "database_schema": null, "records": 0,
                              "sealed": false, "locked": false, "key": null, "note": null});
            return Ok(output::json(&none)?);
        }
        output::note("there is no store yet; the first login creates it");
        return Ok(());
    };
    let store = store.lock();
    let path = store.path().unwrap_or(Path::new(""));
    let file = path.display().to_string();
    let records = store.count()?;
    let key = store.key_state()?;
    let wanted = store.differs_from_settings()?;
    let note = key.as_ref().zip(wanted).map(|(key, wanted)| settings_differ(path, wanted, &key.place));
    if json {
        return Ok(output::json(&json!({
            "file": file,
            "database_schema": SCHEMA_VERSION,
            "records": records,
            "sealed": key.is_some(),
            "locked": key.as_ref().map_or(Some(false), |key| key.locked),
            "key": key.as_ref().map(|key| json!({
                "source": key.source.map(|source| source.as_str()),
                "place": key.place,
                "created_at": key.created_at.to_string(),
                "unlocked_until": key.unlocked_until.map(|until| until.to_string()),
            })),
            "note": note,
        }))?);
    }
    let row = |name: &str, value: String| format!("{name:<8} {}\n", output::safe(&value));
    let mut text =
        row("file", file) + &row("schema", SCHEMA_VERSION.to_string()) + &row("records", records.to_string());
    match key {
        None if records > 0 => {
            text += &row(
                "key",
                "none yet: the credentials are not sealed; seal them with: authenticate store migrate".into(),
            )
        }
        None => text += &row("key", "none yet: it is created with the first credential".into()),
        Some(key) => {
            text += &row("source", key.source.map_or_else(|| "unknown".into(), |source| source.to_string()));
            text += &row("key", key.place.clone());
            text += &row("locked", locked(&key));
        }
    }
    output::text(&text)?;
    if let Some(note) = note {
        output::warn(&output::safe(&note));
    }
    Ok(())
}

fn locked(key: &KeyState) -> String {
    match (key.locked, key.unlocked_until) {
        (Some(true), _) => "yes; unlock it with: authenticate store unlock".into(),
        (Some(false), Some(until)) => format!("no, until {}", super::unlock::shown(until)),
        (Some(false), None) => "no".into(),
        (None, _) if key.source == Some(KeySource::Keyring) => {
            "as the key ring is, which is read when a secret is needed".into()
        }
        (None, _) => "unknown: the command runs when a secret is needed".into(),
    }
}
