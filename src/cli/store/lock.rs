//! `authenticate store lock`

use authenticate::{
    context::Context,
    store::{Locked, Store},
};
use serde_json::json;

use crate::cli::{failure::chain, output};

#[derive(clap::Args)]
pub struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let locked = Store::lock(context.paths())?.ok_or_else(|| super::none(context))?;
    let Locked { forgotten, locked, not_recorded } = locked;
    let recorded = not_recorded.is_none();
    if args.json {
        let result = json!({"schema": 1, "locked": locked, "forgotten": forgotten, "recorded": recorded});
        output::json(&result)?;
    } else {
        output::note(match (forgotten, locked) {
            (true, true) => "the store is locked",
            (true, false) => {
                "the key that was kept is forgotten; its source still gives it to whoever may ask"
            }
            (false, true) => "the store was locked already",
            (false, false) => "no key was kept; its source gives it to whoever may ask",
        });
    }
    if let Some(why) = not_recorded {
        output::warn(&format!("that is not in the audit log: {}", chain(&why.into())));
    }
    Ok(())
}
