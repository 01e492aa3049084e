//! `authenticate log`

use authenticate::{context::Context, credential::Name, store::AuditEntry};
use clap::builder::RangedU64ValueParser;
use serde_json::json;

use super::output;

#[derive(clap::Args)]
pub struct Args {
    /// Show only entries about this provider
    #[arg(long)]
    provider: Option<Name>,
    /// Show at most this many entries, the newest
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: usize,
    /// Show all columns, even if they are wider than the terminal
    #[arg(long)]
    wide: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let entries = match context.existing_store()? {
        Some(store) => store.lock().audit_log(args.provider.as_ref(), args.limit)?,
        None => Vec::new(),
    };
    if args.json {
        let entries: Vec<_> = entries.iter().map(to_json).collect();
        return Ok(output::json(&json!({"entries": entries}))?);
    }
    if entries.is_empty() {
        output::note(match args.provider {
            Some(_) => "no entries for that provider",
            None => "no entries",
        });
        return Ok(());
    }
    let header = ["TIME", "ACTION", "CREDENTIAL", "OUTCOME", "PROCESS", "CALLER", "UID"];
    let can_lose: &[&str] = if args.wide { &[] } else { &["UID", "CALLER", "PROCESS"] };
    Ok(output::table(&header, entries.iter().map(cells).collect(), can_lose)?)
}

fn cells(entry: &AuditEntry) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        entry.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        entry.action.clone(),
        entry.address.as_ref().map_or_else(dash, ToString::to_string),
        entry.outcome.clone(),
        format!("{} {}", entry.pid, entry.program),
        entry.caller.clone().unwrap_or_else(dash),
        entry.uid.to_string(),
    ]
}

fn to_json(entry: &AuditEntry) -> serde_json::Value {
    let address = entry.address.as_ref();
    json!({
        "id": entry.id,
        "time": entry.at.to_string(),
        "action": entry.action,
        "provider": address.map(|address| address.provider.as_str()),
        "set": address.map(|address| address.set.as_str()),
        "profile": address.map(|address| address.profile.as_str()),
        "outcome": entry.outcome,
        "uid": entry.uid,
        "pid": entry.pid,
        "program": entry.program,
        "caller": entry.caller,
    })
}
