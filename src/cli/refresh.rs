//! `authenticate refresh`

use authenticate::{
    Error,
    config::{Paths, Project},
    credential::{Address, Name},
    provider::Registry,
    refresh::Refreshed,
    refresh_all::RefreshAll,
    resolve::request::Request,
    store::{Store, Unreadable},
};
use serde_json::json;

use super::{
    failure::{self, Reported, Usage},
    one_word::{UnknownWord, is_provider},
    output,
    refresh_first::{Interrupted, interrupted, to_the_end},
    target::{self, Target},
    terminal::TerminalUi,
};

#[derive(clap::Args)]
pub struct Args {
    /// Only the credential set of this project; or only this provider, if there is one of that name and no project with a
    /// file. Any other word is a project without a file
    #[arg(value_name = "PROJECT|PROVIDER")]
    first: Option<Target>,
    /// Only this credential, and its failure is an error of its own kind; without a profile the first that can be used of
    /// the project's order, the default one or the only account
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    second: Option<Target>,
    /// The credential set, in place of the project's
    #[arg(long)]
    set: Option<Name>,
    /// Renew what is not due yet; and send a token again that was refused, or of which it is not known what became of it. One
    /// word alone must be a provider or a project with a file then
    #[arg(long)]
    force: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

/// What became of one credential.
type Row = (Address, Result<Refreshed, Error>);

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let registry = Registry::load_all(paths);
    let (named, target) = words(paths, &args, &registry)?;
    let project = match &named {
        Some(name) => Project::load(&paths.projects(), name).map_err(Error::Project)?,
        None => Project::default(),
    };
    let set = match (&args.set, &named) {
        (None, None) => None,
        (Some(set), _) => Some(set.clone()),
        (None, Some(_)) => Some(project.set()),
    };
    let ui = TerminalUi::new().data_on_stdout(true);
    let renewals =
        RefreshAll { paths, store: None, registry: &registry, project: &project, ui: &ui, force: args.force };
    let (mut rows, mut nameless, mut ended) = (Vec::new(), Vec::new(), Ok(()));
    match &target {
        Some(Target { provider, profile }) => {
            let request = Request {
                set,
                profile: profile.clone(),
                ..Request::new(&named.unwrap_or_else(Name::default_name), provider.as_str())
            };
            let stored = renewals.choose(&request)?;
            for skipped in &stored.skipped {
                output::note(&format!("skipped: {skipped}; using {}", stored.record.address));
            }
            let address = stored.record.address.clone();
            rows.push((address, Ok(to_the_end(renewals.refresh(&stored))??)));
        }
        None => {
            let all;
            (all, nameless) = renewals.all_stored(set.as_ref(), None)?;
            let signalled = Interrupted::new()?;
            for one in all {
                if signalled.is_set() {
                    ended = Err(interrupted());
                }
                if ended.is_ok() {
                    ended =
                        to_the_end(renewals.refresh_each(vec![one], &mut rows)).and_then(|ended| Ok(ended?));
                }
            }
        }
    }
    // What was done is said, whatever ended it.
    if args.json {
        let credentials: Vec<_> = rows.iter().map(to_json).collect();
        let unreadable: Vec<_> =
            nameless.iter().map(|row| json!({"row": row.row, "error": row.why})).collect();
        output::json(&json!({"schema": 1, "credentials": credentials, "unreadable": unreadable}))?;
    } else {
        rows.iter().for_each(say);
        if rows.is_empty() && ended.is_ok() {
            output::note("nothing that can be renewed is stored");
        }
    }
    nameless.iter().for_each(|row: &Unreadable| output::error(&row.to_string()));
    ended?;
    match rows.iter().find_map(|(_, result)| result.as_ref().err()) {
        Some(error) => Err(Reported(error.exit_code()).into()),
        None if !nameless.is_empty() => Err(Reported(authenticate::exit::STORE).into()),
        None => Ok(()),
    }
}

/// The project, and what of it. A provider alone is that of the project `default`.
fn words(paths: &Paths, args: &Args, registry: &Registry) -> anyhow::Result<(Option<Name>, Option<Target>)> {
    let Some(first) = &args.first else { return Ok((None, None)) };
    if args.second.is_none() {
        let store = Store::open_existing(paths).map_err(Error::from)?;
        if is_provider(paths, first, registry, store.as_ref())? {
            return Ok((Some(Name::default_name()), Some(first.clone())));
        }
    } else if first.profile.is_some() {
        return Err(Usage::new("the project comes first, then PROVIDER[:PROFILE]").into());
    }
    let project: Name = first.provider.parse().map_err(Error::from)?;
    match UnknownWord::of(paths, &project, registry).filter(|_| args.second.is_none()) {
        // It would send the tokens of everything, also those in doubt.
        Some(slip) if args.force => {
            let hint = "`authenticate refresh --set SET --force` renews all of a set";
            return Err(Usage::new(slip.refused()).hint(hint).into());
        }
        Some(slip) => slip.note(),
        None => {}
    }
    Ok((Some(project), args.second.clone()))
}

fn say((address, result): &Row) {
    let spelled = target::spelled(address);
    match result {
        Ok(Refreshed::Now(_)) => output::note(&format!("renewed {spelled}")),
        Ok(Refreshed::Earlier(_)) => output::note(&format!("{spelled} need not be renewed")),
        Err(error) => {
            output::error(&reason(error));
            if let Some(hint) = error.hint() {
                output::hint(&hint);
            }
        }
    }
}

/// With its causes.
fn reason(error: &Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    failure::join(causes)
}

fn to_json((address, result): &Row) -> serde_json::Value {
    let (outcome, record) = match result {
        Ok(Refreshed::Now(record)) => ("renewed", Some(record)),
        Ok(Refreshed::Earlier(record)) => ("unchanged", Some(record)),
        Err(_) => ("failed", None),
    };
    let error = result.as_ref().err();
    json!({
        "provider": address.provider.as_str(),
        "set": address.set.as_str(),
        "profile": address.profile.as_str(),
        "outcome": outcome,
        "expires_at": record.and_then(|record| record.metadata.expires_at).map(|at| at.to_string()),
        "error": error.map(reason),
        "exit_code": error.map(Error::exit_code),
        "needs_login": matches!(error, Some(Error::Refresh(error)) if error.needs_login()),
    })
}
