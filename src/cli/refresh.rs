//! `authenticate refresh`

use authenticate::{
    Error,
    lifecycle::{refresh::Renewed, renewals::Renewals, request::address_of},
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::Registry,
};
use serde_json::json;

use super::{
    alive::to_the_end,
    failure::Reported,
    output,
    target::{self, Target},
    terminal::TerminalUi,
};

#[derive(clap::Args)]
pub struct Args {
    /// Only the credential set of this project
    project: Option<Name>,
    /// Only this credential; a failure is then an error of its own kind
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    provider: Option<Target>,
    /// The credential set, in place of the project's
    #[arg(long)]
    set: Option<Name>,
    /// Renew what is not due yet; and send a token again that was refused, or of which it is not known what became of it
    #[arg(long)]
    force: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

/// What became of one credential.
type Row = (Address, Result<Renewed, Error>);

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let project = match &args.project {
        Some(name) => Project::load(&paths.projects(), name).map_err(Error::Project)?,
        None => Project::default(),
    };
    let set = match (&args.set, &args.project) {
        (None, None) => None,
        (Some(set), _) => Some(set.clone()),
        (None, Some(_)) => Some(project.set()),
    };
    let registry = Registry::load(Some(&paths.providers()));
    let ui = TerminalUi::new().data_on_stdout(true);
    let renewals =
        Renewals { paths, store: None, registry: &registry, project: &project, ui: &ui, force: args.force };
    let rows = match &args.provider {
        Some(Target { provider, profile }) => {
            let set = set.unwrap_or_else(Name::default_name);
            let address = address_of(&registry, set, provider, profile.as_ref())?;
            let stored = renewals.stored(&address)?;
            vec![(address, Ok(to_the_end(renewals.renew(&stored))??))]
        }
        None => {
            let all = renewals.all_stored(set.as_ref(), None)?;
            to_the_end(renewals.renew_each(all))??
        }
    };
    if args.json {
        output::json(&json!({"schema": 1, "credentials": rows.iter().map(to_json).collect::<Vec<_>>()}))?;
    } else {
        rows.iter().for_each(say);
        if rows.is_empty() {
            output::note("nothing that can be renewed is stored");
        }
    }
    match rows.iter().find_map(|(_, result)| result.as_ref().err()) {
        Some(error) => Err(Reported(error.exit_code()).into()),
        None => Ok(()),
    }
}

fn say((address, result): &Row) {
    let spelled = target::spelled(address);
    match result {
        Ok(Renewed::Now(_)) => output::note(&format!("renewed {spelled}")),
        Ok(Renewed::Before(_)) => output::note(&format!("{spelled} need not be renewed")),
        Err(error) => {
            output::error(&error.to_string());
            if let Some(hint) = error.hint() {
                output::hint(&hint);
            }
        }
    }
}

fn to_json((address, result): &Row) -> serde_json::Value {
    let (outcome, record) = match result {
        Ok(Renewed::Now(record)) => ("renewed", Some(record)),
        Ok(Renewed::Before(record)) => ("unchanged", Some(record)),
        Err(_) => ("failed", None),
    };
    let error = result.as_ref().err();
    json!({
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "outcome": outcome,
        "expires_at": record.and_then(|record| record.metadata.expires_at).map(|at| at.to_string()),
        "error": error.map(ToString::to_string),
        "exit_code": error.map(Error::exit_code),
        "needs_login": matches!(error, Some(Error::Refresh(error)) if error.needs_login()),
    })
}
