//! `authenticate logout`

use authenticate::{
    config::project,
    context::Context,
    credential::{Address, Name},
    revoke::{LogoutMode, LogoutOutcome},
    store::{Listing, Removal, StoreError, Unreadable},
};
use serde_json::{Value, json};

use super::{
    exit,
    failure::Failure,
    output,
    revocation::{self, RevocationCommand, is_not_stored},
    signals::interrupted,
    target::{Target, UnknownWord},
};

#[derive(clap::Args)]
pub struct Args {
    /// The project, whose credential set is used
    #[arg(required_unless_present = "all")]
    pub project: Option<Name>,
    /// The provider and optional profile [default profile: default]
    #[arg(value_name = "PROVIDER[:PROFILE]", required_unless_present = "all", conflicts_with = "all")]
    provider: Option<Target>,
    /// Log out all credentials of the set of a project with a file, of --set, or else of all sets
    #[arg(long)]
    all: bool,
    /// Remove the credential without revoking it, so that it stays valid at the vendor
    #[arg(long)]
    no_revoke: bool,
    /// Use this credential set [default: the project's]
    #[arg(long)]
    set: Option<Name>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let mut command = RevocationCommand::new(context, args.json)?;
    let mode = if args.no_revoke { LogoutMode::Forget } else { LogoutMode::Logout };
    let Some(target) = args.provider else {
        let set = match (args.set, &args.project) {
            (Some(set), _) => Some(set),
            (None, Some(project)) => Some(own_set(context, project)?),
            (None, None) => None,
        };
        return all(command, set.as_ref(), mode);
    };
    // A credential whose descriptor is gone can be removed by its own name.
    let address = context.address(args.set.as_ref(), &target.provider, target.profile.as_ref())?;
    let outcome = command.log_out(&target.provider, &address, mode)?;
    command.print(&address, &outcome)
}

/// The credential set of a project with a file. One without a file has no credentials of its own: it shares its set with
/// all others, so that any word would name them.
fn own_set(context: &Context, project: &Name) -> anyhow::Result<Name> {
    let set = context.set(None)?;
    let (with_a_file, _) = project::names(&context.paths().projects());
    if with_a_file.contains(project) {
        return Ok(set);
    }
    let problem = match UnknownWord::of(context, project) {
        Some(word) => word.refusal(),
        None => format!("{project} is a provider, and not a project with a file"),
    };
    let meant = format!("to log out all credentials of the set {set}: authenticate logout --all --set {set}");
    Err(Failure::usage(problem).hint(meant).into())
}

/// The result for each of several targets.
type Results<T, R> = Vec<(T, Result<R, Failure>)>;

/// Logs out all credentials of a set, or of all sets. The failure of one does not stop the others; each result is printed.
fn all(mut command: RevocationCommand<'_>, set: Option<&Name>, mode: LogoutMode) -> anyhow::Result<()> {
    let Listing { credentials, unreadable } = match command.context.existing_store()? {
        Some(store) => store.lock().listing(set)?,
        None => Listing::default(),
    };
    let (named, nameless): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(|row| row.address.is_some());
    let addresses = credentials.into_iter().map(|credential| credential.address);
    let mut rows = Results::new();
    for address in addresses.chain(named.into_iter().filter_map(|row| row.address)) {
        let result = match command.log_out_one(&address, mode) {
            // Another process removed it first.
            Err(error) if is_not_stored(&error) => continue,
            result => result.map_err(|error| command.failure(error)),
        };
        let is_over = result.as_ref().is_err_and(|failure| failure.code == exit::INTERRUPTED);
        rows.push((address, result));
        if is_over {
            return report(&command, &rows, &Results::new());
        }
        if command.signals.is_interrupted() {
            // The interruption counts more than the failure of one credential.
            let _ = report(&command, &rows, &Results::new());
            return Err(interrupted());
        }
    }
    let nameless = nameless.into_iter().map(|row| {
        let removed = remove(&command, &row).map_err(|error| command.failure(error.into()));
        (row, removed)
    });
    report(&command, &rows, &nameless.collect())
}

/// Removes a row without a valid address. Its vendor is unknown, so it cannot be revoked.
fn remove(command: &RevocationCommand<'_>, row: &Unreadable) -> Result<Removal, StoreError> {
    command.context.store()?.lock().remove_unreadable(row)
}

fn report(
    command: &RevocationCommand<'_>,
    rows: &Results<Address, LogoutOutcome>,
    nameless: &Results<Unreadable, Removal>,
) -> anyhow::Result<()> {
    if command.json {
        let credentials: Vec<_> = rows.iter().map(|(address, result)| to_json(address, result)).collect();
        let others = nameless.iter().map(|(row, result)| {
            let error = result.as_ref().err().map(|failure| &failure.message);
            json!({"row": row.row, "removed": error.is_none(), "error": error})
        });
        let others: Vec<_> = others.collect();
        output::json(&json!({"credentials": credentials, "unreadable": others}))?;
    } else {
        if rows.is_empty() && nameless.is_empty() {
            output::note("no credentials are stored there");
        }
        for (address, result) in rows {
            match result {
                Ok(outcome) => command.describe(address, outcome),
                Err(failure) => print_failure(&address.to_string(), failure),
            }
        }
        for (row, result) in nameless {
            let entry = format!("the unreadable entry {}", row.row);
            match result {
                Ok(_) => output::note(&format!("removed {entry} from this machine")),
                Err(failure) => print_failure(&entry, failure),
            }
        }
    }
    let failed = rows.iter().filter_map(|(_, result)| result.as_ref().err());
    match failed.chain(nameless.iter().filter_map(|(_, result)| result.as_ref().err())).next() {
        Some(first) => Err(Failure::reported(first.code).into()),
        None => Ok(()),
    }
}

fn print_failure(target: &str, failure: &Failure) {
    output::error(&format!("{target} was not removed: {}", failure.message));
    failure.hint.iter().for_each(|hint| output::hint(hint));
}

fn to_json(address: &Address, result: &Result<LogoutOutcome, Failure>) -> Value {
    let failure = result.as_ref().err();
    let mut object = revocation::to_json(address, result.as_ref().ok());
    object["error"] = failure.map(|failure| failure.message.as_str()).into();
    object["exit_code"] = failure.map(|failure| failure.code).into();
    object
}
