//! `authenticate store restore`

use std::{fs::File, path::PathBuf};

use authenticate::{
    context::Context,
    credential::Secret,
    redact,
    refresh::maintenance,
    store::{BackupUnlock, needs_passphrase},
};
use serde_json::json;

use super::passphrase;
use crate::cli::{failure::Failure, finish, output};

/// The longest identity file, in bytes.
const MAX_LEN: usize = 1 << 20;

#[derive(clap::Args)]
pub struct Args {
    /// The backup file to read
    file: PathBuf,
    /// Decrypt with the age identity in this file, in place of a passphrase
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: passphrase::Args,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let unlock = unlock(&args)?;
    let store = context.store()?;
    let restored = finish(maintenance::restore(&store, args.file, unlock))??;
    let before = restored.before.map(|before| before.display().to_string());
    if args.json {
        let records = restored.credentials;
        let result = json!({"records": records, "before": before, "lost": restored.lost});
        return Ok(output::json(&result)?);
    }
    output::note(&format!("{} restored", output::credentials_are(restored.credentials as u64)));
    for lost in restored.lost {
        output::warn(&format!("could not restore: {lost}"));
    }
    if let Some(before) = before {
        output::note(&format!(
            "the credentials before the restore are in {}, a backup that opens like the restored one",
            output::safe(&before)
        ));
    }
    Ok(())
}

fn unlock(args: &Args) -> anyhow::Result<BackupUnlock> {
    if args.identity.is_some() && args.passphrase.is_given() {
        return Err(Failure::usage("use either --identity or a passphrase to open a backup, not both").into());
    }
    let refuse = |how: &str, hint: &str| {
        Failure::usage(format!("{} is encrypted {how}", redact::redact_path(&args.file))).hint(hint)
    };
    match (&args.identity, needs_passphrase(&args.file)?) {
        (None, true) => Ok(BackupUnlock::Passphrase(args.passphrase.get("Passphrase of the backup", false)?)),
        (None, false) => {
            Err(refuse("for recipients", "name the file with your age identity: --identity FILE").into())
        }
        (Some(_), true) => Err(refuse("with a passphrase", "leave --identity out").into()),
        (Some(identity), false) => {
            let text = File::open(identity).and_then(|file| Secret::read(file, MAX_LEN));
            text.map(BackupUnlock::Identities).map_err(|error| {
                let name = redact::redact_path(identity);
                Failure::usage(format!("cannot read the identity file {name}: {error}")).into()
            })
        }
    }
}
