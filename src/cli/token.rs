//! `authenticate token`

use std::io::Write as _;

use authenticate::{Error, lifecycle::resolve::resolve, paths::Paths};
use serde_json::json;

use super::{output, target::StoredArgs};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stored: StoredArgs,
    /// Print a JSON object that holds the secret and what is known of it
    #[arg(long)]
    json: bool,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let found = resolve(paths, &args.stored.request())?.as_it_is()?;
    let Some(secret) = found.credential.usable() else {
        let what = found.address.to_string();
        let hint = "it has several fields, and no single one that is the token".to_owned();
        return Err(Error::NoCredential { what, hint }.into());
    };
    if args.json {
        let address = &found.address;
        return Ok(output::json(&json!({
            "schema": 1,
            "provider": address.provider.as_str(),
            "set": address.set.as_str(),
            "profile": address.profile.as_str(),
            "kind": found.credential.kind().as_str(),
            "token": secret.expose(),
            "expires_at": found.metadata.expires_at.map(|at| at.to_string()),
            "host": found.metadata.host,
            "source": found.source.to_string(),
        }))?);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(secret.expose().as_bytes())?;
    Ok(out.write_all(b"\n")?)
}
