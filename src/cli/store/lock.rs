//! `authenticate store lock`

use authenticate::{Error, paths::Paths, store::Locked};
use serde_json::json;

use crate::cli::output;

#[derive(clap::Args)]
pub struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let store = super::existing(paths)?;
    let forgotten = store.lock().map_err(Error::from)? == Locked::Forgotten;
    let locked = store.key_state().map_err(Error::from)?.is_some_and(|state| state.locked);
    if args.json {
        return Ok(output::json(&json!({"schema": 1, "locked": locked, "forgotten": forgotten}))?);
    }
    output::note(match (forgotten, locked) {
        (true, true) => "the store is locked",
        (true, false) => "the key that was kept is forgotten; its source still gives it to whoever may ask",
        (false, true) => "the store was locked already",
        (false, false) => "no key was kept; its source gives it to whoever may ask",
    });
    Ok(())
}
