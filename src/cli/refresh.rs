//! `authenticate refresh`

use authenticate::{
    Error, ErrorKind, Refreshed,
    client::refresh_all::{all_stored, refresh_stored},
    context::Context,
    credential::{Address, Name},
    refresh::{Refresh, accept},
    resolve::{choose_stored, request::Request},
    store::Unreadable,
};
use serde_json::json;

use super::{
    exit,
    failure::{Failure, chain},
    hints::{Hints, UNREADABLE},
    output,
    signals::{Signals, interrupted},
    target::{Target, UnknownWord, scope, spelled},
};

#[derive(clap::Args)]
pub struct Args {
    /// Refresh only the credential set of this project, or only this provider; a project with a file comes first, then a
    /// provider, then a project without a file
    #[arg(value_name = "PROJECT|PROVIDER")]
    first: Option<Target>,
    /// Refresh only this credential [default profile: the first usable one in the project's `profiles`, else `default`, else
    /// the only one]
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    second: Option<Target>,
    /// Use this credential set [default: the project's, or all sets without a project]
    #[arg(long)]
    set: Option<Name>,
    /// Refresh even if not due, and retry refresh tokens that were rejected or whose outcome is unknown; a single word must
    /// then be a provider or a project with a file
    #[arg(long)]
    force: bool,
    /// Accept the tokens that the vendor gave at the last refresh and that were set aside, as `status` says
    #[arg(long, requires = "first", conflicts_with = "force")]
    accept: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The result for one credential.
type Row = (Address, Result<Refreshed, Error>);

/// The results of all, and how the run ended.
struct Results {
    rows: Vec<Row>,
    nameless: Vec<Unreadable>,
    ended: anyhow::Result<()>,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let (project, target) = scope(context, args.first.clone(), args.second.clone())?;
    let unknown = project.as_ref().filter(|_| target.is_none());
    match unknown.and_then(|project| UnknownWord::of(context, project)) {
        // A mistyped provider would send all refresh tokens, even those whose outcome is unknown.
        Some(word) if args.force => {
            let hint = "refresh all credentials of a set with: authenticate refresh --set SET --force";
            return Err(Failure::usage(word.refusal()).hint(hint).into());
        }
        Some(word) => word.note(),
        None => {}
    }
    if args.accept && target.is_none() {
        return Err(Failure::usage("--accept needs a provider")
            .hint("name one, as: authenticate refresh PROJECT PROVIDER --accept")
            .into());
    }
    let has_project = project.is_some();
    let context = &context.clone().with_project(project.unwrap_or_else(Name::default_name));
    let results = match (target, args.set.clone()) {
        // The hint is for this project.
        (Some(target), set) => {
            one(context, set, target, &args).map_err(|error| Failure::of(error, Some(context)))?
        }
        (None, None) if has_project => all(context, Some(&context.set(None)?), args.force)?,
        (None, set) => all(context, set.as_ref(), args.force)?,
    };
    report(context, results, args.json)
}

fn one(context: &Context, set: Option<Name>, target: Target, args: &Args) -> anyhow::Result<Results> {
    let Target { provider, profile } = target;
    let chosen = choose_stored(context, &Request { set, profile, ..Request::new(provider) })?;
    for skipped in &chosen.skipped {
        output::note(&format!("skipped: {skipped}; using {}", chosen.record.address));
    }
    let record = &chosen.record;
    let refresh = async {
        match args.accept {
            true => accept(context, &record.address).await.map(Refreshed::Now),
            false => Refresh::now(context, record, args.force).await,
        }
    };
    let refreshed = Signals::receive()?.finish(refresh)?;
    let rows = vec![(chosen.record.address, Ok(refreshed))];
    Ok(Results { rows, nameless: Vec::new(), ended: Ok(()) })
}

fn all(context: &Context, set: Option<&Name>, force: bool) -> anyhow::Result<Results> {
    let (all, nameless) = all_stored(context, set, None)?;
    let mut signals = Signals::receive()?;
    let (mut rows, mut ended) = (Vec::new(), Ok(()));
    for (address, stored) in all {
        if signals.is_interrupted() {
            ended = Err(interrupted());
        }
        if ended.is_err() {
            break;
        }
        match signals.finish(async { Ok::<_, Error>(refresh_stored(context, stored, force).await) }) {
            Ok(Some(Err(error))) if error.kind() == ErrorKind::Interrupted => ended = Err(error.into()),
            Ok(result) => rows.extend(result.map(|result| (address, result))),
            Err(error) => ended = Err(error),
        }
    }
    Ok(Results { rows, nameless, ended })
}

/// Prints the results, however the run ended.
fn report(context: &Context, results: Results, json: bool) -> anyhow::Result<()> {
    let Results { rows, nameless, ended } = results;
    if json {
        let credentials: Vec<_> = rows.iter().map(to_json).collect();
        let unreadable: Vec<_> =
            nameless.iter().map(|row| json!({"row": row.row, "error": row.why})).collect();
        output::json(&json!({"credentials": credentials, "unreadable": unreadable}))?;
    } else {
        rows.iter().for_each(|row| print_row(context, row));
        if rows.is_empty() && ended.is_ok() {
            output::note("no stored credential can be refreshed");
        }
    }
    nameless.iter().for_each(|row| output::error(&row.to_string()));
    if !nameless.is_empty() {
        output::hint(UNREADABLE);
    }
    ended?;
    match rows.iter().find_map(|(_, result)| result.as_ref().err()) {
        Some(error) => Err(Failure::reported(exit::code(error.kind())).into()),
        None if !nameless.is_empty() => Err(Failure::reported(exit::STORE).into()),
        None => Ok(()),
    }
}

fn print_row(context: &Context, (address, result): &Row) {
    let spelled = spelled(address);
    match result {
        Ok(Refreshed::Now(_)) => output::note(&format!("refreshed {spelled}")),
        Ok(Refreshed::Earlier(_)) => output::note(&format!("{spelled} is not due for a refresh")),
        Err(error) => {
            output::error(&chain(error));
            if let Some(hint) = Hints(context).any(error) {
                output::hint(&hint);
            }
        }
    }
}

fn to_json((address, result): &Row) -> serde_json::Value {
    let (outcome, record) = match result {
        Ok(Refreshed::Now(record)) => ("refreshed", Some(record)),
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
        "error": error.map(|error| chain(error)),
        "exit_code": error.map(|error| exit::code(error.kind())),
        "needs_login": matches!(error, Some(Error::Refresh(error)) if error.needs_login()),
    })
}
