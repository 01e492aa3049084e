//! `authenticate status`

use std::collections::BTreeSet;

use authenticate::{
    Error,
    credential::{Kind, Metadata},
    lifecycle::resolve::{Source, from_env},
    name::{Address, Name},
    paths::Paths,
    provider::Registry,
    store::Store,
};
use jiff::Timestamp;
use serde_json::json;

use super::{output, target};

#[derive(clap::Args)]
pub struct Args {
    /// Only the credential set of this project
    project: Option<Name>,
    /// Only this credential set
    #[arg(long)]
    set: Option<Name>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Row {
    address: Address,
    kind: Kind,
    metadata: Metadata,
    source: Source,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let set = match (&args.set, &args.project) {
        (Some(set), _) => Some(set.clone()),
        (None, Some(project)) => Some(target::set(paths, project, None)?),
        (None, None) => None,
    };
    let rows = rows(paths, set.as_ref())?;
    if args.json {
        let credentials: Vec<_> = rows.iter().map(to_json).collect();
        return Ok(output::json(&json!({"schema": 1, "credentials": credentials}))?);
    }
    if rows.is_empty() {
        output::note("nothing is stored; log in with: authenticate PROJECT PROVIDER");
        return Ok(());
    }
    let header = ["PROVIDER", "SET", "PROFILE", "KIND", "ACCOUNT", "EXPIRES IN", "SOURCE"];
    Ok(output::table(&header, rows.iter().map(cells).collect())?)
}

/// What is stored, and the keys that the environment has for providers of which nothing is stored.
fn rows(paths: &Paths, set: Option<&Name>) -> Result<Vec<Row>, Error> {
    let stored = match Store::open_existing(paths.data())? {
        Some(store) => store.list(set)?,
        None => Vec::new(),
    };
    let here = set.cloned().unwrap_or_else(Name::default_name);
    let known: BTreeSet<Name> = stored
        .iter()
        .filter(|s| s.address == Address { set: here.clone(), ..Address::of(s.address.provider.clone()) })
        .map(|s| s.address.provider.clone())
        .collect();
    let mut rows: Vec<Row> = stored
        .into_iter()
        .map(|s| Row { address: s.address, kind: s.kind, metadata: s.metadata, source: Source::Stored })
        .collect();
    for provider in Registry::load(Some(&paths.providers())).iter() {
        let name: Name = provider.name.parse()?;
        if let Some((variable, _)) = from_env(provider).ok().flatten().filter(|_| !known.contains(&name)) {
            let address = Address { set: here.clone(), ..Address::of(name) };
            let (kind, metadata) = (Kind::ApiKey, Metadata::default());
            rows.push(Row { address, kind, metadata, source: Source::Env(variable) });
        }
    }
    rows.sort_by(|a, b| (&a.address.provider, &a.address).cmp(&(&b.address.provider, &b.address)));
    Ok(rows)
}

fn cells(row: &Row) -> Vec<String> {
    let dash = || "-".to_owned();
    let account = match (&row.metadata.account, &row.metadata.host) {
        (Some(account), Some(host)) => format!("{account} at {host}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => dash(),
    };
    vec![
        row.address.provider.to_string(),
        row.address.set.to_string(),
        row.address.profile.to_string(),
        row.kind.to_string(),
        account,
        row.metadata.expires_at.map_or_else(dash, expires_in),
        row.source.to_string(),
    ]
}

fn expires_in(at: Timestamp) -> String {
    let seconds = at.duration_since(Timestamp::now()).as_secs();
    match seconds {
        ..=0 => "expired".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

fn to_json(row: &Row) -> serde_json::Value {
    let expires_at = row.metadata.expires_at;
    json!({
        "provider": row.address.provider.as_str(),
        "set": row.address.set.as_str(),
        "profile": row.address.profile.as_str(),
        "kind": row.kind.as_str(),
        "account": row.metadata.account,
        "host": row.metadata.host,
        "scopes": row.metadata.scopes,
        "expires_at": expires_at.map(|at| at.to_string()),
        "expired": expires_at.is_some_and(|at| at <= Timestamp::now()),
        "source": match &row.source { Source::Stored => "stored", Source::Env(_) => "env" },
        "variable": match &row.source { Source::Stored => None, Source::Env(name) => Some(name) },
    })
}
