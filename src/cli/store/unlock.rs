//! `authenticate store unlock`

use std::time::Duration;

use authenticate::{
    context::Context,
    login::direct::expiry::lasts,
    store::{Action, KeySource},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use super::passphrase;
use crate::cli::{failure::Failure, output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    passphrase: passphrase::Args,
    /// Keep it unlocked for this time, for example 30m or 8h, at most 7 days
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = time)]
    time: Duration,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The longest time.
const MAX_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with a unit, for example 30m or 8h".to_owned();
    match Duration::try_from(lasts(text).map_err(|_| wrong())?) {
        Ok(time) if time > MAX_TIME => Err("at most 7 days (168h)".into()),
        Ok(time) if time >= Duration::from_secs(1) => Ok(time),
        _ => Err(wrong()),
    }
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let store = super::existing(context)?;
    let store = store.lock();
    if store.key_state()?.is_none() && store.count()? == 0 {
        // There is nothing to unlock, and the first key is not made by the way.
        return Err(super::no_store(context));
    }
    if let Some(passphrase) = args.passphrase.given()? {
        if let Some(place) = store.key_state()?.filter(|key| key.source != Some(KeySource::Passphrase)) {
            let message = format!("the store has no passphrase: its key is in {}", place.place);
            return Err(Failure::usage(message).into());
        }
        store.unlock(&passphrase)?;
    } else {
        store.prepare_for(Action::Unlock)?;
    }
    let source = store.key_state()?.and_then(|state| state.source);
    let until = match source {
        Some(KeySource::KeyFile) => None,
        _ => Some(store.keep_unlocked(args.time)?),
    };
    if args.json {
        let until = until.map(|until| until.to_string());
        return Ok(output::json(&json!({"locked": false, "unlocked_until": until}))?);
    }
    match until {
        Some(until) => output::note(&format!("the store is unlocked until {}", shown(until))),
        None => output::note("the store needs no unlocking: its key is in a key file"),
    }
    Ok(())
}

/// Formats a time for people, in the local time zone.
pub fn shown(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
