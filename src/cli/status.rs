//! `authenticate status`

use authenticate::{
    context::Context,
    credential::{Address, Metadata, Name},
    resolve::{FieldSource, Lookup, Request, ResolveError, Source, inspect},
    status::{
        Details, Filter, Status, StatusEntry,
        state::{CredentialState, RefreshProblem},
        status,
    },
    store::AttemptState,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    exit,
    failure::Failure,
    hints::{Hints, UNREADABLE},
    output,
    target::{Target, UnknownWord, scope, stored, with_placeholders},
};

#[derive(clap::Args)]
pub struct Args {
    /// Show only the credential set of this project, or only this provider; a project with a file comes first, then a
    /// provider, then a project without a file
    #[arg(value_name = "PROJECT|PROVIDER")]
    first: Option<Target>,
    /// Show only this provider, or only this profile of it
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    second: Option<Target>,
    /// Show only this credential set [default: the project's, or all sets without a project]
    #[arg(long)]
    set: Option<Name>,
    /// Show every known provider, even without a credential
    #[arg(long)]
    all: bool,
    /// Print nothing, and exit with 0 if the provider has a credential that can be used, or refreshed as far as is known
    #[arg(long, requires = "first", conflicts_with_all = ["all", "json", "wide"])]
    check: bool,
    /// Show all columns, even if they are wider than the terminal
    #[arg(long)]
    wide: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    if args.check {
        return check(context, args);
    }
    let registry = context.registry();
    let (context, filter) = filter(context, &args)?;
    let context = &context;
    let Status { mut entries, nameless } = status(context, &filter)?;
    entries.iter_mut().for_each(|entry| redact_typed(entry, args.set.as_ref(), filter.profile.as_ref()));
    let unreadable = || entries.iter().filter_map(|entry| entry.unreadable.as_ref()).chain(&nameless);
    let problems = match &filter.provider {
        Some(provider) => registry.problems_of(provider.as_str()),
        None => registry.problems().to_vec(),
    };
    if args.json {
        let credentials: Vec<_> = entries.iter().map(to_json).collect();
        let rows: Vec<_> = unreadable().map(|row| json!({"row": row.row, "error": row.why})).collect();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        output::json(&json!({"credentials": credentials, "unreadable": rows, "problems": problems}))?;
    } else if entries.is_empty() && nameless.is_empty() {
        output::note("nothing is stored; log in with: authenticate PROJECT PROVIDER");
    } else {
        let header = [
            "PROVIDER", "LABEL", "SET", "PROFILE", "KIND", "ACCOUNT", "STATE", "EXPIRES", "REFRESH", "SOURCE",
        ];
        let can_lose: &[&str] = match args.wide {
            true => &[],
            false => &["LABEL", "SOURCE", "REFRESH", "KIND", "EXPIRES", "SET", "ACCOUNT"],
        };
        output::table(&header, entries.iter().map(cells).collect(), can_lose)?;
    }
    entries.iter().for_each(|entry| explain(context, entry));
    problems.iter().for_each(|problem| output::warn(&problem.to_string()));
    unreadable().for_each(|row| output::error(&row.to_string()));
    if unreadable().next().is_some() {
        output::hint(UNREADABLE);
    }
    // An unreadable entry is a failure only if its provider was asked for.
    match filter.provider.is_some() && unreadable().next().is_some() {
        true => Err(Failure::reported(exit::STORE).into()),
        false => Ok(()),
    }
}

/// Succeeds if the credential that `token` would print can be used, or refreshed as far as is known.
fn check(context: &Context, args: Args) -> anyhow::Result<()> {
    let (project, target) = scope(context, args.first, args.second)?;
    let Some(Target { provider, profile }) = target else {
        return Err(Failure::usage("--check needs a provider").into());
    };
    let context = &project.map_or_else(|| context.clone(), |project| context.clone().with_project(project));
    let request = Request { set: args.set, profile, ..Request::new(provider.as_str()) };
    // The hint is for this project.
    Ok(is_usable(context, &request).map_err(|error| Failure::of(error.into(), Some(context)))?)
}

fn is_usable(context: &Context, request: &Request) -> Result<(), ResolveError> {
    let Lookup::Expiring(expiring) = inspect(context, request)? else { return Ok(()) };
    let attempt = context.store()?.lock().attempt(&expiring.record.address)?;
    match attempt.map(|attempt| attempt.state) {
        Some(AttemptState::Rejected | AttemptState::Unknown) => expiring.without_refresh().map(drop),
        Some(AttemptState::InFlight) | None => Ok(()),
    }
}

/// The filter that the arguments describe, and the context of their project.
fn filter(context: &Context, args: &Args) -> anyhow::Result<(Context, Filter)> {
    let (project, target) = scope(context, args.first.clone(), args.second.clone())?;
    if let Some(word) = project.as_ref().and_then(|project| UnknownWord::of(context, project)) {
        word.note();
    }
    let has_project = project.is_some();
    let context = context.clone().with_project(project.unwrap_or_else(Name::default_name));
    let set = match &args.set {
        Some(set) => Some(set.clone()),
        None if has_project => Some(context.set(None)?),
        None => None,
    };
    let provider = target.as_ref().map(|target| provider_name(&context, &target.provider)).transpose()?;
    let filter = Filter { set, provider, profile: target.and_then(|target| target.profile), all: args.all };
    Ok((context, filter))
}

fn provider_name(context: &Context, word: &str) -> anyhow::Result<Name> {
    if let Ok(known) = context.registry().get(word) {
        return Ok(known.name.parse()?);
    }
    let mut stored = stored(context)?.into_iter().map(|address| address.provider);
    match stored.find(|name| name.as_str() == word) {
        Some(name) => Ok(name),
        None => Ok(context.provider(word)?.name.parse()?),
    }
}

/// Replaces the names of the command line, which by mistake may be keys, by placeholders. A name that a credential has stays.
fn redact_typed(entry: &mut StatusEntry, typed_set: Option<&Name>, typed_profile: Option<&Name>) {
    let is_stored = entry.details.as_ref().is_some_and(|details| details.source == Source::Stored);
    if is_stored || entry.unreadable.is_some() {
        return;
    }
    let shown = with_placeholders(&entry.address);
    let Address { set, profile, .. } = &mut entry.address;
    if typed_set == Some(set) {
        *set = shown.set;
    }
    if typed_profile == Some(profile) {
        *profile = shown.profile;
    }
}

/// Says why a login is not refreshed any more, and the next command.
fn explain(context: &Context, entry: &StatusEntry) {
    let problem = entry.details.as_ref().and_then(|details| details.refresh_problem.as_ref());
    if let Some(problem) = problem {
        output::note(&format!("{}: {problem}", entry.address));
        output::hint(&Hints(context).refresh_problem(&entry.address, problem));
    }
}

fn state(entry: &StatusEntry) -> Option<CredentialState> {
    let of_details = || entry.details.as_ref().map(|details| details.state);
    entry.unreadable.as_ref().map(|_| CredentialState::Error).or_else(of_details)
}

fn cells(entry: &StatusEntry) -> Vec<String> {
    let address = &entry.address;
    let of = |cell: fn(&Details) -> Option<String>| entry.details.as_ref().and_then(cell);
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let cells = [
        Some(address.provider.to_string()),
        Some(entry.label.clone()),
        Some(address.set.to_string()),
        Some(address.profile.to_string()),
        of(|details| Some(details.kind.to_string())),
        of(account),
        state(entry).map(|state| state.to_string()),
        of(|details| details.metadata.expires_at.map(expires)),
        entry.details.as_ref().map(|details| yes_or_no(details.refreshable)),
        of(|details| Some(source(details))),
    ];
    cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned())).into()
}

fn account(details: &Details) -> Option<String> {
    let Metadata { account, plan, host, .. } = &details.metadata;
    let name = match (account, host) {
        (Some(account), Some(host)) => Some(format!("{account} at {host}")),
        (account, host) => account.clone().or_else(|| host.clone()),
    };
    match (name, plan) {
        (Some(name), Some(plan)) => Some(format!("{name} ({plan})")),
        (name, plan) => name.or_else(|| plan.clone()),
    }
}

/// The origin of a credential, and of each field that has another one.
fn source(details: &Details) -> String {
    if details.source == Source::Stored && details.fields.is_empty() && details.metadata.owner.is_us() {
        return details.source.as_str().to_owned();
    }
    let owner = if details.metadata.owner.is_us() { "" } else { ", refreshed by the vendor's own tool" };
    let others = details.fields.iter().filter(|field| field.source.as_ref() != Some(&details.source));
    let others = others.map(|FieldSource { name, source, .. }| match source {
        Some(source) => format!("; {name}: {source}"),
        None => format!("; {name}: missing"),
    });
    format!("{}{owner}{}", details.source, others.collect::<String>())
}

fn expires(at: Timestamp) -> String {
    let seconds = at.duration_since(authenticate::clock::now()).as_secs();
    let span = match seconds.abs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86400),
    };
    if seconds > 0 { format!("in {span}") } else { format!("{span} ago") }
}

fn to_json(entry: &StatusEntry) -> Value {
    let details = entry.details.as_ref();
    let metadata = details.map(|details| &details.metadata);
    let expires_at = metadata.and_then(|metadata| metadata.expires_at);
    let fields: Vec<Value> = details.iter().flat_map(|details| &details.fields).map(field_json).collect();
    json!({
        "provider": entry.address.provider.as_str(),
        "label": entry.label,
        "set": entry.address.set.as_str(),
        "profile": entry.address.profile.as_str(),
        "configured": details.is_some() || entry.unreadable.is_some(),
        "kind": details.map(|details| details.kind.as_str()),
        "account": metadata.and_then(|metadata| metadata.account.as_ref()),
        "plan": metadata.and_then(|metadata| metadata.plan.as_ref()),
        "host": metadata.and_then(|metadata| metadata.host.as_ref()),
        "scopes": metadata.map(|metadata| metadata.scopes.as_slice()).unwrap_or_default(),
        "state": state(entry).map(CredentialState::as_str),
        "refresh_problem": details.and_then(|details| details.refresh_problem.as_ref()).map(ToString::to_string),
        "set_aside": matches!(details.map(|details| &details.refresh_problem), Some(Some(RefreshProblem::SetAside(_)))),
        "created_at": details.and_then(|details| details.created_at).map(|at| at.to_string()),
        "updated_at": details.and_then(|details| details.updated_at).map(|at| at.to_string()),
        "expires_at": expires_at.map(|at| at.to_string()),
        "expired": expires_at.is_some_and(|at| at <= authenticate::clock::now()),
        "refreshable": details.is_some_and(|details| details.refreshable),
        "client_id": details.and_then(|details| details.client_id.as_ref()),
        "owner": metadata.map(|metadata| metadata.owner.as_str()),
        "source": details.map(|details| details.source.as_str()),
        "variable": details.and_then(|details| details.source.variable()),
        "fields": fields,
    })
}

fn field_json(field: &FieldSource) -> Value {
    json!({
        "name": field.name,
        "source": field.source.as_ref().map(|source| source.as_str()),
        "variable": field.variable,
    })
}
