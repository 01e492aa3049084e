//! `authenticate status`

use authenticate::{
    context::Context,
    credential::Name,
    redact,
    resolve::{FieldSource, Source},
    status::{Details, Filter, Status, StatusEntry, state::CredentialState, status},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    exit,
    failure::Reported,
    one_word::{UnknownWord, is_provider, stored},
    output,
    target::Target,
};

#[derive(clap::Args)]
pub struct Args {
    /// Only the credential set of this project; or only this provider, if there is one of that name and no project with a
    /// file. Any other word is a project without a file
    #[arg(value_name = "PROJECT|PROVIDER")]
    first: Option<Target>,
    /// Only this provider, or this profile of it
    #[arg(value_name = "PROVIDER[:PROFILE]")]
    second: Option<Target>,
    /// Only this credential set
    #[arg(long)]
    set: Option<Name>,
    /// Every known provider, even if there is nothing
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let registry = context.registry();
    let filter = filter(context, &args)?;
    let Status { entries, nameless } = status(context, &filter)?;
    let unreadable = || entries.iter().filter_map(|entry| entry.unreadable.as_ref()).chain(&nameless);
    let typed = Typed { set: args.set.as_ref(), profile: filter.profile.as_ref() };
    let problems = match &filter.provider {
        Some(provider) => registry.problems_of(provider.as_str()),
        None => registry.problems().to_vec(),
    };
    if args.json {
        let credentials: Vec<_> = entries.iter().map(|entry| to_json(entry, &typed)).collect();
        let rows: Vec<_> = unreadable().map(|row| json!({"row": row.row, "error": row.why})).collect();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        output::json(
            &json!({"schema": 1, "credentials": credentials, "unreadable": rows, "problems": problems}),
        )?;
    } else if entries.is_empty() && nameless.is_empty() {
        output::note("nothing is stored; log in with: authenticate PROJECT PROVIDER");
    } else {
        let header = [
            "PROVIDER", "LABEL", "SET", "PROFILE", "KIND", "ACCOUNT", "STATE", "EXPIRES", "REFRESH", "SOURCE",
        ];
        output::table(&header, entries.iter().map(|entry| cells(entry, &typed)).collect())?;
    }
    problems.iter().for_each(|problem| output::warn(&problem.to_string()));
    unreadable().for_each(|row| output::error(&row.to_string()));
    // Whoever asks for all gets all there is; whoever names one wants that.
    match filter.provider.is_some() && unreadable().next().is_some() {
        true => Err(Reported(exit::STORE).into()),
        false => Ok(()),
    }
}

/// The filter that the words name. One word alone is a provider if there is one of that name, and no project with a file.
fn filter(context: &Context, args: &Args) -> anyhow::Result<Filter> {
    let (project, target) = match (&args.first, &args.second) {
        (Some(first), None) if is_provider(context, first)? => (None, Some(first)),
        (Some(first), second) => (Some(project(context, first)?), second.as_ref()),
        (None, _) => (None, None),
    };
    let set = match (&args.set, project) {
        (Some(set), _) => Some(set.clone()),
        (None, Some(project)) => Some(context.clone().with_project(project).set(None)?),
        (None, None) => None,
    };
    let provider = target.map(|target| provider_name(context, &target.provider)).transpose()?;
    Ok(Filter { set, provider, profile: target.and_then(|target| target.profile.clone()), all: args.all })
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

fn project(context: &Context, word: &Target) -> anyhow::Result<Name> {
    let name = word.provider.parse()?;
    if let Some(word) = UnknownWord::of(context, &name) {
        word.note();
    }
    Ok(name)
}

/// The names in the command line, where a slip puts a key. One is shown where there is something of that name, or if it can
/// be no key.
struct Typed<'a> {
    set: Option<&'a Name>,
    profile: Option<&'a Name>,
}

impl Typed<'_> {
    fn set<'e>(&self, entry: &'e StatusEntry) -> &'e str {
        shown_as(entry, &entry.address.set, self.set, "SET")
    }

    fn profile<'e>(&self, entry: &'e StatusEntry) -> &'e str {
        shown_as(entry, &entry.address.profile, self.profile, "PROFILE")
    }
}

fn shown_as<'e>(
    entry: &'e StatusEntry,
    name: &'e Name,
    typed: Option<&Name>,
    place: &'static str,
) -> &'e str {
    let is_stored = entry.details.as_ref().is_some_and(|found| found.source == Source::Stored);
    match is_stored || entry.unreadable.is_some() || typed != Some(name) {
        true => name.as_str(),
        false => redact::redact_or(name.as_str(), place),
    }
}

/// The index of the cell with the state.
const STATE: usize = 6;

fn dash() -> String {
    "-".to_owned()
}

fn cells(entry: &StatusEntry, typed: &Typed<'_>) -> Vec<String> {
    let provider = entry.address.provider.as_str();
    let mut cells: Vec<String> =
        [provider, &entry.label, typed.set(entry), typed.profile(entry)].map(str::to_owned).into();
    match &entry.details {
        Some(found) => cells.extend([
            found.kind.as_str().to_owned(),
            account(found),
            found.state.as_str().to_owned(),
            found.metadata.expires_at.map_or_else(dash, expires),
            if found.refreshable { "yes" } else { "no" }.to_owned(),
            source(found),
        ]),
        None => cells.extend(std::iter::repeat_with(dash).take(6)),
    }
    if entry.unreadable.is_some() {
        cells[STATE] = CredentialState::Error.to_string();
    }
    cells
}

fn account(found: &Details) -> String {
    match (&found.metadata.account, &found.metadata.host) {
        (Some(account), Some(host)) => format!("{account} at {host}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => dash(),
    }
}

/// Where it is from; field by field, where they are not all from there.
fn source(found: &Details) -> String {
    if found.source == Source::Stored && found.fields.is_empty() && found.metadata.owner.is_us() {
        return found.source.as_str().to_owned();
    }
    let owner = if found.metadata.owner.is_us() { "" } else { ", kept alive by its own tool" };
    let others = found.fields.iter().filter(|field| field.source.as_ref() != Some(&found.source));
    let others = others.map(|FieldSource { name, source, .. }| match source {
        Some(source) => format!("; {name}: {source}"),
        None => format!("; {name}: missing"),
    });
    format!("{}{owner}{}", found.source, others.collect::<String>())
}

fn expires(at: Timestamp) -> String {
    let seconds = at.duration_since(Timestamp::now()).as_secs();
    let span = match seconds.abs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86400),
    };
    if seconds > 0 { format!("in {span}") } else { format!("{span} ago") }
}

fn to_json(entry: &StatusEntry, typed: &Typed<'_>) -> Value {
    let found = entry.details.as_ref();
    let metadata = found.map(|found| &found.metadata);
    let expires_at = metadata.and_then(|metadata| metadata.expires_at);
    let fields: Vec<Value> = found.iter().flat_map(|found| &found.fields).map(field_json).collect();
    json!({
        "provider": entry.address.provider.as_str(),
        "label": entry.label,
        "set": typed.set(entry),
        "profile": typed.profile(entry),
        "configured": found.is_some() || entry.unreadable.is_some(),
        "kind": found.map(|found| found.kind.as_str()),
        "account": metadata.and_then(|metadata| metadata.account.as_ref()),
        "host": metadata.and_then(|metadata| metadata.host.as_ref()),
        "scopes": metadata.map(|metadata| metadata.scopes.as_slice()).unwrap_or_default(),
        "state": entry.unreadable.as_ref().map(|_| CredentialState::Error).or(found.map(|found| found.state)).map(CredentialState::as_str),
        "created_at": found.and_then(|found| found.created_at).map(|at| at.to_string()),
        "updated_at": found.and_then(|found| found.updated_at).map(|at| at.to_string()),
        "expires_at": expires_at.map(|at| at.to_string()),
        "expired": expires_at.is_some_and(|at| at <= Timestamp::now()),
        "refreshable": found.is_some_and(|found| found.refreshable),
        "client_id": found.and_then(|found| found.client_id.as_ref()),
        "owner": metadata.map(|metadata| metadata.owner.as_str()),
        "source": found.map(|found| found.source.as_str()),
        "variable": found.and_then(|found| found.source.variable()),
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
