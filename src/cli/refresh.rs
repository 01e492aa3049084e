//! `authenticate refresh`

use authenticate::{
    Error,
    credential::Record,
    lifecycle::{
        refresh::{Refresh, RefreshError, Renewed, provider_of},
        resolve::{Chosen, Request, choose_in},
    },
    name::{Address, Name},
    paths::Paths,
    project::Project,
    provider::Registry,
    store::{HeldKey, Listing, Store, StoreError, Unreadable},
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
    /// Only this credential, and its failure is an error of its own kind; without a profile the first that can be used of
    /// the project's order, the default one or the only account
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
struct Row {
    address: Address,
    result: Result<Renewed, Error>,
}

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
    let job = Job { paths, project: &project, registry: &registry, force: args.force };
    let (mut nameless, mut rows, mut ended) = (Vec::new(), Vec::new(), Ok(()));
    match &args.provider {
        Some(target) => {
            let default = Name::default_name();
            let request = Request {
                set,
                profile: target.profile.clone(),
                ..Request::new(args.project.as_ref().unwrap_or(&default), target.provider.as_str())
            };
            let (record, _key) = named(paths, &request)?;
            let address = record.address.clone();
            rows.push(Row { address, result: Ok(job.renew(&record)?) });
        }
        None => ended = job.all(set.as_ref(), &mut rows, &mut nameless),
    }
    // What was done is said, whatever ended it.
    if args.json {
        output::json(&json!({"schema": 1, "credentials": rows.iter().map(to_json).collect::<Vec<_>>()}))?;
    } else {
        rows.iter().for_each(say);
        if rows.is_empty() && ended.is_ok() {
            output::note("nothing that can be renewed is stored");
        }
    }
    nameless.iter().for_each(|row: &Unreadable| output::error(&row.to_string()));
    ended?;
    match rows.iter().find_map(|row| row.result.as_ref().err()) {
        Some(error) => Err(Reported(error.exit_code()).into()),
        None if !nameless.is_empty() => Err(Reported(authenticate::exit::STORE).into()),
        None => Ok(()),
    }
}

struct Job<'a> {
    paths: &'a Paths,
    project: &'a Project,
    registry: &'a Registry,
    force: bool,
}

impl Job<'_> {
    fn renew(&self, record: &Record) -> anyhow::Result<Renewed> {
        let ui = TerminalUi::new().data_on_stdout(true);
        let provider = provider_of(self.registry, record).map_err(Error::from)?;
        let refresh = Refresh { paths: self.paths, store: None, provider, project: self.project, ui: &ui };
        Ok(to_the_end(refresh.renew(record, self.force))?.map_err(Error::from)?)
    }

    /// Every credential that can be renewed: what becomes of one is nothing to the others.
    fn all(
        &self,
        set: Option<&Name>,
        rows: &mut Vec<Row>,
        nameless: &mut Vec<Unreadable>,
    ) -> anyhow::Result<()> {
        let Some(store) = Store::open_existing(self.paths).map_err(Error::from)? else { return Ok(()) };
        let Listing { credentials, unreadable } = store.listing(set).map_err(Error::from)?;
        for row in unreadable {
            match row.address.clone() {
                Some(address) => {
                    rows.push(Row { address, result: Err(StoreError::Unreadable(Box::new(row)).into()) });
                }
                None => nameless.push(row),
            }
        }
        for summary in credentials {
            let record = match store.get(&summary.address) {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                // One that does not open, or is none.
                Err(error @ (StoreError::NotOpened { .. } | StoreError::Decode { .. })) => {
                    rows.push(Row { address: summary.address, result: Err(error.into()) });
                    continue;
                }
                Err(error) => return Err(Error::from(error).into()),
            };
            let result = match self.renew(&record).map_err(|error| error.downcast::<Error>()) {
                Ok(renewed) => Ok(renewed),
                // Nothing to be said of a key that lasts for ever.
                Err(Ok(Error::Refresh(RefreshError::NotRenewable { .. }) | Error::UnknownProvider(_))) => {
                    continue;
                }
                Err(Ok(error)) if error.exit_code() == authenticate::exit::INTERRUPTED => {
                    return Err(error.into());
                }
                Err(Ok(error)) => Err(error),
                Err(Err(other)) => return Err(other),
            };
            rows.push(Row { address: record.address, result });
        }
        Ok(())
    }
}

/// The credential that is meant, found as `token` finds it, with the key that it took.
fn named(paths: &Paths, request: &Request) -> Result<(Record, HeldKey), Error> {
    let store = Store::open_existing(paths)?;
    let Some(Chosen { record, skipped }) = choose_in(store.as_ref(), paths, request)? else {
        let address = Address {
            set: request.set.clone().unwrap_or_else(Name::default_name),
            provider: request.provider.parse()?,
            profile: request.profile.clone().unwrap_or_else(Name::default_name),
        };
        let hint = "see what is stored with: authenticate status".to_owned();
        return Err(Error::NoCredential { what: address.typed(), hint });
    };
    for skipped in &skipped {
        output::note(&format!("skipped: {skipped}; using {}", record.address));
    }
    Ok((record, store.map(|store| store.hold_key()).unwrap_or_default()))
}

fn say(row: &Row) {
    let spelled = target::spelled(&row.address);
    match &row.result {
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

fn to_json(row: &Row) -> serde_json::Value {
    let address = &row.address;
    let (outcome, record) = match &row.result {
        Ok(Renewed::Now(record)) => ("renewed", Some(record)),
        Ok(Renewed::Before(record)) => ("unchanged", Some(record)),
        Err(_) => ("failed", None),
    };
    let error = row.result.as_ref().err();
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
