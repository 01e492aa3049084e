//! `authenticate store`: the store itself, its key, its backups.

mod backup;
mod lock;
mod migrate;
mod passphrase;
mod rekey;
mod restore;
mod status;
mod unlock;

use authenticate::{Error, config::Paths, store::Store};
use clap::Subcommand;

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

pub fn run(paths: &Paths, args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Status(args) => status::run(paths, args),
        Verb::Lock(args) => lock::run(paths, args),
        Verb::Unlock(args) => unlock::run(paths, args),
        Verb::Rekey(args) => rekey::run(paths, args),
        Verb::Backup(args) => backup::run(paths, args),
        Verb::Restore(args) => restore::run(paths, args),
        Verb::Migrate(args) => migrate::run(paths, args),
    }
}

/// The store, which must be there.
fn existing(paths: &Paths) -> Result<Store, Error> {
    Store::open_existing(paths)?.ok_or_else(|| none(paths))
}

fn none(paths: &Paths) -> Error {
    Error::NoCredential {
        what: format!("anything: there is no store in {} yet", paths.data().display()),
        hint: "the first login makes it: authenticate PROJECT PROVIDER".into(),
    }
}
