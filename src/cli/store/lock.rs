//! `authenticate store lock`

use authenticate::{
    context::Context,
    store::{Locked, Store},
};
use serde_json::json;

use crate::cli::{failure::chain, output};

pub fn run(context: &Context, json: bool) -> anyhow::Result<()> {
    let locked = Store::lock(context.paths())?.ok_or_else(|| super::no_store(context))?;
    let Locked { forgotten, locked, not_recorded } = locked;
    let recorded = not_recorded.is_none();
    if json {
        let result = json!({"locked": locked, "forgotten": forgotten, "recorded": recorded});
        output::json(&result)?;
    } else {
        output::note(match (forgotten, locked) {
            (true, true) => "the store is locked",
            (true, false) => "the kept key is forgotten; the key source still provides it to this user",
            (false, true) => "the store was already locked",
            (false, false) => "no key was kept; the key source provides it to this user",
        });
    }
    if let Some(error) = not_recorded {
        output::warn(&format!("the audit log has no entry of this: {}", chain(&error)));
    }
    Ok(())
}
