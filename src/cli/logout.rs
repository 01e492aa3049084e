//! `authenticate logout`

use authenticate::{
    Error,
    config::Paths,
    credential::{Address, Name},
    exit,
    revoke::{LogoutMode, LogoutOutcome, Revocation},
    store::{Listing, Store, Unreadable},
};
use serde_json::{Value, json};

use super::{
    failure::{Reported, chain},
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

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    let job = Job::new(paths, args.project.as_ref(), args.json)?;
    let how = if args.no_revoke { LogoutMode::Forget } else { LogoutMode::Logout };
    let set = match (args.set, &args.project) {
        (Some(set), _) => Some(set),
        (None, Some(_)) => Some(job.project.set()),
        (None, None) => None,
    };
    let Some(target) = args.provider else {
        return all(&job, set.as_ref(), how);
    };
    let address = job.address(set.unwrap_or_else(Name::default_name), &target)?;
    let left = job.leave(&target.provider, &address, how)?;
    job.say(&address, &left)
}

/// What became of one of all.
struct Row<T> {
    of: T,
    result: anyhow::Result<LogoutOutcome>,
}

/// What becomes of one is nothing to the others, and is said whatever becomes of them.
fn all(job: &Job<'_>, set: Option<&Name>, how: LogoutMode) -> anyhow::Result<()> {
    let Listing { credentials, unreadable } = match Store::open_existing(job.paths).map_err(Error::from)? {
        Some(store) => store.listing(set).map_err(Error::from)?,
        None => Listing::default(),
    };
    let (named, nameless): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(|row| row.address.is_some());
    let addresses = credentials.into_iter().map(|credential| credential.address);
    let mut rows = Vec::new();
    let signalled = Interrupted::new()?;
    for of in addresses.chain(named.into_iter().filter_map(|row| row.address)) {
        let result = match job.leave_one(&of, how) {
            // Somebody else was there first.
            Ok(Err(Error::NoCredential { .. })) => continue,
            left => left.and_then(|left| Ok(left?)),
        };
        let is_over = result.as_ref().is_err_and(|error| code(error) == exit::INTERRUPTED);
        rows.push(Row { of, result });
        if is_over {
            return report(job, &rows, &[]);
        }
        if signalled.is_set() {
            // What came of each is said; that it is not all counts more than how one of them ended.
            let _ = report(job, &rows, &[]);
            return Err(interrupted());
        }
    }
    let nameless: Vec<_> = nameless.into_iter().map(|of| Row { result: remove(job, &of), of }).collect();
    report(job, &rows, &nameless)
}

/// Nobody can say at which vendor it would have to be revoked.
fn remove(job: &Job<'_>, row: &Unreadable) -> anyhow::Result<LogoutOutcome> {
    let mut store = Store::open(job.paths).map_err(Error::from)?;
    let removal = store.remove_unreadable(row).map_err(Error::from)?;
    Ok(LogoutOutcome { revocation: Revocation::NotTried, removal: Some(removal), unread: Vec::new() })
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
                Ok(left) => job.tell(of, left),
                Err(error) => say(&format!("{of} was not removed"), error),
            }
        }
        for Row { of, result } in nameless {
            let what = format!("what was stored for {}, and could not be read,", of.row);
            match result {
                Ok(_) => output::note(&format!("removed {what} from this machine")),
                Err(error) => say(&format!("{what} was not removed"), error),
            }
        }
    }
    let results = rows.iter().map(|row| &row.result).chain(nameless.iter().map(|row| &row.result));
    match results.filter_map(|result| result.as_ref().err()).next() {
        Some(first) => Err(Reported(code(first)).into()),
        None => Ok(()),
    }
}

fn say(what: &str, error: &anyhow::Error) {
    output::error(&format!("{what}: {}", chain(error)));
    if let Some(hint) = error.downcast_ref().and_then(Error::hint) {
        output::hint(&hint);
    }
}

fn code(error: &anyhow::Error) -> u8 {
    error.downcast_ref().map_or(exit::FAILED, Error::exit_code)
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
    object["exit_code"] = error.map(code).into();
    object
}
