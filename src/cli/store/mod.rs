//! `authenticate store`

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

use super::{JsonArgs, exit, failure::Failure};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Show the store's file, its key source and whether it is locked
    Status(JsonArgs),
    /// Lock the store: forget a key that `store unlock` kept
    Lock(JsonArgs),
    /// Unlock the store for a time, so that its passphrase is not asked for each time
    Unlock(unlock::Args),
    /// Seal the store with a new key, optionally from another key source
    Rekey(rekey::Args),
    /// Back up all credentials to one file, encrypted with age
    Backup(backup::Args),
    /// Replace all credentials with those of a backup
    Restore(restore::Args),
    /// Migrate the store to this version and seal plain credentials, as opening it does
    Migrate(JsonArgs),
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Status(args) => status::run(context, args.json),
        Verb::Lock(args) => lock::run(context, args.json),
        Verb::Unlock(args) => unlock::run(context, args),
        Verb::Rekey(args) => rekey::run(context, args),
        Verb::Backup(args) => backup::run(context, args),
        Verb::Restore(args) => restore::run(context, args),
        Verb::Migrate(args) => migrate::run(context, args.json),
    }
}

/// The store, which must exist.
fn existing(context: &Context) -> anyhow::Result<SharedStore> {
    context.existing_store()?.ok_or_else(|| no_store(context))
}

fn no_store(context: &Context) -> anyhow::Error {
    let place = context.paths().data().display();
    Failure::usage(format!("there is no store in {place} yet"))
        .hint("the first login creates it: authenticate PROJECT PROVIDER")
        .code(exit::NO_CREDENTIAL)
        .into()
}
