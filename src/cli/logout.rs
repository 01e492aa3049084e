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
    revocation::Job,
    target::Target,
};

#[derive(clap::Args)]
pub struct Args {
    /// The project
    #[arg(required_unless_present = "all")]
    project: Option<Name>,
    /// The provider, and the profile if not the default one
    #[arg(value_name = "PROVIDER[:PROFILE]", required_unless_present = "all", conflicts_with = "all")]
    provider: Option<Target>,
    /// Remove everything: of the project's credential set, or without a project of all sets
    #[arg(long)]
    all: bool,
    /// Only remove it here; it stays valid at the vendor
    #[arg(long)]
    no_revoke: bool,
    /// The credential set, in place of the project's
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
    let job = Job::new(context, args.json)?;
    let mode = if args.no_revoke { LogoutMode::Forget } else { LogoutMode::Logout };
    let Some(target) = args.provider else {
        let set = match (args.set, &args.project) {
            (Some(set), _) => Some(set),
            (None, Some(_)) => Some(context.set(None)?),
            (None, None) => None,
        };
        return all(&job, set.as_ref(), mode);
    };
    // A credential outlives its descriptor: it can be removed under its own name.
    let address = context.address(args.set.as_ref(), &target.provider, target.profile.as_ref())?;
    let outcome = job.log_out(&target.provider, &address, mode)?;
    job.say(&address, &outcome)
}

/// The result for one of all.
struct Row<T> {
    of: T,
    result: anyhow::Result<LogoutOutcome>,
}

/// Logs out all. The failure of one does not stop the others, and the result of each is printed.
fn all(job: &Job<'_>, set: Option<&Name>, mode: LogoutMode) -> anyhow::Result<()> {
    let Listing { credentials, unreadable } = match job.context.existing_store()? {
        Some(store) => store.lock().listing(set)?,
        None => Listing::default(),
    };
    let (named, nameless): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(|row| row.address.is_some());
    let addresses = credentials.into_iter().map(|credential| credential.address);
    let mut rows = Vec::new();
    let signalled = Interrupted::new()?;
    for of in addresses.chain(named.into_iter().filter_map(|row| row.address)) {
        let result = match job.log_out_one(&of, mode) {
            // Another process removed it first.
            Ok(Err(LogoutError::NotStored { .. })) => continue,
            outcome => outcome.and_then(|outcome| Ok(outcome?)),
        };
        let is_over = result.as_ref().is_err_and(|error| failure::code(error) == exit::INTERRUPTED);
        rows.push(Row { of, result });
        if is_over {
            return report(job, &rows, &[]);
        }
        if signalled.is_set() {
            // The results are printed; that they are not all counts more than the failure of one.
            let _ = report(job, &rows, &[]);
            return Err(interrupted());
        }
    }
    let nameless: Vec<_> = nameless.into_iter().map(|of| Row { result: remove(job, &of), of }).collect();
    report(job, &rows, &nameless)
}

/// Removes a row without a valid address. Its vendor is unknown, so it cannot be revoked.
fn remove(job: &Job<'_>, row: &Unreadable) -> anyhow::Result<LogoutOutcome> {
    let removal = job.context.store()?.lock().remove_unreadable(row)?;
    let (revocation, ignored_config) = (Revocation::NotTried, Vec::new());
    Ok(LogoutOutcome { revocation, removal: Some(removal), ignored_config })
}

fn report(job: &Job<'_>, rows: &[Row<Address>], nameless: &[Row<Unreadable>]) -> anyhow::Result<()> {
    if job.json {
        let credentials: Vec<_> = rows.iter().map(|row| to_json(job, row)).collect();
        let others = nameless.iter().map(|Row { of, result }| {
            let error = result.as_ref().err();
            json!({"row": of.row, "removed": error.is_none(), "error": error.map(chain)})
        });
        let others: Vec<_> = others.collect();
        output::json(&json!({"schema": 1, "credentials": credentials, "unreadable": others}))?;
    } else {
        if rows.is_empty() && nameless.is_empty() {
            output::note("nothing is stored there");
        }
        for Row { of, result } in rows {
            match result {
                Ok(outcome) => job.tell(of, outcome),
                Err(error) => say(job, &format!("{of} was not removed"), error),
            }
        }
        for Row { of, result } in nameless {
            let what = format!("what was stored for {}, and could not be read,", of.row);
            match result {
                Ok(_) => output::note(&format!("removed {what} from this machine")),
                Err(error) => say(job, &format!("{what} was not removed"), error),
            }
        }
    }
    let results = rows.iter().map(|row| &row.result).chain(nameless.iter().map(|row| &row.result));
    match results.filter_map(|result| result.as_ref().err()).next() {
        Some(first) => Err(Reported(failure::code(first)).into()),
        None => Ok(()),
    }
}

fn say(job: &Job<'_>, what: &str, error: &anyhow::Error) {
    output::error(&format!("{what}: {}", chain(error)));
    if let Some(hint) = failure::hint(error, Some(job.context)) {
        output::hint(&hint);
    }
}

fn to_json(job: &Job<'_>, Row { of, result }: &Row<Address>) -> Value {
    let mut object = match result {
        Ok(left) => job.to_json(of, left),
        Err(_) => json!({
            "provider": of.provider.as_str(),
            "set": of.set.as_str(),
            "profile": of.profile.as_str(),
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
