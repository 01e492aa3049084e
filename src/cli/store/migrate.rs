//! `authenticate store migrate`

use authenticate::{context::Context, store::SCHEMA_VERSION};
use serde_json::json;

use crate::cli::output;

pub fn run(context: &Context, json: bool) -> anyhow::Result<()> {
    let store = super::existing(context)?;
    let store = store.lock();
    let from = store.schema_when_opened();
    let erased = store.migrate()?;
    let records = store.count()?;
    if !erased {
        output::warn(
            "plain text stays in the files while another process reads them; run this again when it has ended",
        );
    }
    if json {
        return Ok(output::json(&json!({
            "from": from,
            "to": SCHEMA_VERSION,
            "records": records,
            "erased": erased,
        }))?);
    }
    let state = if erased { "sealed, and no plain text is left in the files" } else { "sealed" };
    let are = output::credentials_are(records);
    match from == SCHEMA_VERSION {
        true => output::note(&format!("the store is up to date: its {are} {state}")),
        false => output::note(&format!(
            "the store was migrated from schema {from} to {SCHEMA_VERSION}: its {are} {state}"
        )),
    }
    Ok(())
}
