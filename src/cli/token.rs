//! `authenticate token`

use std::io::Write as _;

use authenticate::{
    Error,
    credential::Credential,
    lifecycle::resolve::{Part, Request, Resolved, Source, resolve},
    paths::Paths,
    secret::Secret,
};
use serde_json::{Value, json};

use super::{alive::ready, failure::Usage, input, output, target::WantedArgs};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    wanted: WantedArgs,
    /// The field to print, of a credential that has several
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Use the value of this environment variable, whatever is stored; it is not stored
    #[arg(long, value_name = "VAR")]
    token_env: Option<String>,
    /// Print a JSON object that holds the secret and what is known of it
    #[arg(long)]
    json: bool,
}

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let part = match &args.field {
        Some(field) => Part::Field(field.clone()),
        None if args.json => Part::All,
        None => Part::Usable,
    };
    let request = Request { given: given(&args)?, part, ..args.wanted.request() };
    let found = ready(paths, &request, resolve(paths, &request)?)?;
    for skipped in &found.skipped {
        output::note(&format!("skipped: {skipped}; using {}", found.address));
    }
    let secret = found.part(&request.part)?;
    if args.json {
        return Ok(output::json(&to_json(&found, args.field.as_deref(), secret.as_ref()))?);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(secret.as_ref().map(Secret::expose).unwrap_or_default().as_bytes())?;
    Ok(out.write_all(b"\n")?)
}

fn given(args: &Args) -> anyhow::Result<Option<Credential>> {
    let Some(name) = &args.token_env else { return Ok(None) };
    let value = input::variable("--token-env", name)?;
    match value.expose().trim() {
        "" => Err(Usage::new("the variable of --token-env is blank").into()),
        value if value.chars().any(char::is_control) => {
            let problem = "contains control characters or several lines";
            Err(Error::Variable { name: name.clone(), problem }.into())
        }
        value => Ok(Some(Credential::api_key(value))),
    }
}

fn to_json(found: &Resolved, field: Option<&str>, secret: Option<&Secret>) -> Value {
    let address = &found.address;
    let fields = found.fields.iter().filter(|known| field.is_none_or(|field| field == known.name));
    let fields: Vec<Value> = fields
        .map(|field| {
            json!({
                "name": field.name,
                "value": found.field(&field.name).as_ref().map(Secret::expose),
                "source": field.source.as_ref().map(Source::as_str),
                "variable": field.variable,
            })
        })
        .collect();
    json!({
        "schema": 1,
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "kind": found.credential.kind().as_str(),
        "token": secret.map(Secret::expose),
        "fields": fields,
        "expires_at": found.metadata.expires_at.map(|at| at.to_string()),
        "host": found.metadata.host,
        "source": found.source.as_str(),
        "variable": found.source.variable(),
    })
}
