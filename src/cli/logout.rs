//! `authenticate logout`

use authenticate::{
    LogoutError,
    context::Context,
    credential::{Address, Name},
    revoke::{LogoutMode, LogoutOutcome, Revocation},
    store::{Listing, Unreadable},
};
use serde_json::{Value, json};

use super::{
    exit,
    failure::{self, Reported, chain},
    output,
    refresh_first::{Interrupted, interrupted},
    revocation::RevocationCommand,
    target::Target,
};

#[derive(clap::Args)]
pub struct Args {
    /// The project, whose credential set is used
    #[arg(required_unless_present = "all")]
    project: Option<Name>,
    /// The provider and optional profile [default profile: default]
    #[arg(value_name = "PROVIDER[:PROFILE]", required_unless_present = "all", conflicts_with = "all")]
    provider: Option<Target>,
    /// Log out all credentials of the project's set, or without a project of all sets
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

impl Args {
    pub fn project(&self) -> Option<&Name> {
        self.project.as_ref()
    }
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let command = RevocationCommand::new(context, args.json)?;
    let mode = if args.no_revoke { LogoutMode::Forget } else { LogoutMode::Logout };
    let Some(target) = args.provider else {
        let set = match (args.set, &args.project) {
            (Some(set), _) => Some(set),
            (None, Some(_)) => Some(context.set(None)?),
            (None, None) => None,
        };
        return all(&command, set.as_ref(), mode);
    };
    // A credential whose descriptor is gone can be removed by its own name.
    let address = context.address(args.set.as_ref(), &target.provider, target.profile.as_ref())?;
    let outcome = command.log_out(&target.provider, &address, mode)?;
    command.print(&address, &outcome)
}

/// The result for one credential.
struct Row<T> {
    target: T,
    result: anyhow::Result<LogoutOutcome>,
}

/// Logs out all credentials of a set, or of all sets. The failure of one does not stop the others; each result is printed.
fn all(command: &RevocationCommand<'_>, set: Option<&Name>, mode: LogoutMode) -> anyhow::Result<()> {
    let Listing { credentials, unreadable } = match command.context.existing_store()? {
        Some(store) => store.lock().listing(set)?,
        None => Listing::default(),
    };
    let (named, nameless): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(|row| row.address.is_some());
    let addresses = credentials.into_iter().map(|credential| credential.address);
    let mut rows = Vec::new();
    let signalled = Interrupted::new()?;
    for target in addresses.chain(named.into_iter().filter_map(|row| row.address)) {
        let result = match command.log_out_one(&target, mode) {
            // Another process removed it first.
            Ok(Err(LogoutError::NotStored { .. })) => continue,
            outcome => outcome.and_then(|outcome| Ok(outcome?)),
        };
        let is_over = result.as_ref().is_err_and(|error| failure::code(error) == exit::INTERRUPTED);
        rows.push(Row { target, result });
        if is_over {
            return report(command, &rows, &[]);
        }
        if signalled.is_set() {
            // The interruption counts more than the failure of one credential.
            let _ = report(command, &rows, &[]);
            return Err(interrupted());
        }
    }
    let nameless: Vec<_> =
        nameless.into_iter().map(|target| Row { result: remove(command, &target), target }).collect();
    report(command, &rows, &nameless)
}

/// Removes a row without a valid address. Its vendor is unknown, so it cannot be revoked.
fn remove(command: &RevocationCommand<'_>, row: &Unreadable) -> anyhow::Result<LogoutOutcome> {
    let removal = command.context.store()?.lock().remove_unreadable(row)?;
    let (revocation, ignored_config) = (Revocation::NotTried, Vec::new());
    Ok(LogoutOutcome { revocation, removal: Some(removal), ignored_config })
}

fn report(
    command: &RevocationCommand<'_>,
    rows: &[Row<Address>],
    nameless: &[Row<Unreadable>],
) -> anyhow::Result<()> {
    if command.json {
        let credentials: Vec<_> = rows.iter().map(|row| to_json(command, row)).collect();
        let others = nameless.iter().map(|Row { target, result }| {
            let error = result.as_ref().err();
            json!({"row": target.row, "removed": error.is_none(), "error": error.map(chain)})
        });
        let others: Vec<_> = others.collect();
        output::json(&json!({"schema": 1, "credentials": credentials, "unreadable": others}))?;
    } else {
        if rows.is_empty() && nameless.is_empty() {
            output::note("no credentials are stored there");
        }
        for Row { target, result } in rows {
            match result {
                Ok(outcome) => command.describe(target, outcome),
                Err(error) => print_error(command, &target.to_string(), error),
            }
        }
        for Row { target, result } in nameless {
            let entry = format!("the unreadable entry {}", target.row);
            match result {
                Ok(_) => output::note(&format!("removed {entry} from this machine")),
                Err(error) => print_error(command, &entry, error),
            }
        }
    }
    let results = rows.iter().map(|row| &row.result).chain(nameless.iter().map(|row| &row.result));
    match results.filter_map(|result| result.as_ref().err()).next() {
        Some(first) => Err(Reported(failure::code(first)).into()),
        None => Ok(()),
    }
}

fn print_error(command: &RevocationCommand<'_>, target: &str, error: &anyhow::Error) {
    output::error(&format!("{target} was not removed: {}", chain(error)));
    if let Some(hint) = failure::hint(error, Some(command.context)) {
        output::hint(&hint);
    }
}

fn to_json(command: &RevocationCommand<'_>, Row { target, result }: &Row<Address>) -> Value {
    let mut object = match result {
        Ok(outcome) => command.to_json(target, outcome),
        Err(_) => json!({
            "provider": target.provider.as_str(),
            "set": target.set.as_str(),
            "profile": target.profile.as_str(),
            "removed": false,
            "erased": false,
            "revocation": null,
            "revocation_error": null,
        }),
    };
    let error = result.as_ref().err();
    object["error"] = error.map(chain).into();
    object["exit_code"] = error.map(failure::code).into();
    object
}
