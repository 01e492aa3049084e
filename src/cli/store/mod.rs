//! `authenticate store`: the store itself, its key, its backups.

mod backup;
mod lock;
mod migrate;
mod passphrase;
mod rekey;
mod restore;
mod status;
mod unlock;

use authenticate::{SharedStore, context::Context};
use clap::Subcommand;

use super::{exit, failure::Usage};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Show where the store is, what keeps its key, and whether it is locked; needs no key
    Status(status::Args),
    /// Forget a key that is kept unlocked
    Lock(lock::Args),
    /// Keep the store unlocked for this login session, so that its passphrase is not asked for each time
    Unlock(unlock::Args),
    /// Seal the store with another key, and perhaps keep that in another place
    Rekey(rekey::Args),
    /// Write all credentials into one sealed file (age)
    Backup(backup::Args),
    /// Replace all credentials by those of a backup
    Restore(restore::Args),
    /// Seal what an earlier version has stored; opening the store does this, too
    Migrate(migrate::Args),
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Status(args) => status::run(context, args),
        Verb::Lock(args) => lock::run(context, args),
        Verb::Unlock(args) => unlock::run(context, args),
        Verb::Rekey(args) => rekey::run(context, args),
        Verb::Backup(args) => backup::run(context, args),
        Verb::Restore(args) => restore::run(context, args),
        Verb::Migrate(args) => migrate::run(context, args),
    }
}

/// The store, which must exist.
fn existing(context: &Context) -> anyhow::Result<SharedStore> {
    context.existing_store()?.ok_or_else(|| none(context))
}

fn none(context: &Context) -> anyhow::Error {
    let place = context.paths().data().display();
    Usage::new(format!("there is no store in {place} yet"))
        .hint("the first login creates it: authenticate PROJECT PROVIDER")
        .code(exit::NO_CREDENTIAL)
        .into()
}
