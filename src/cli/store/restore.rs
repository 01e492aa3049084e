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
    let Some(identity) = &args.identity else {
        if !needs_passphrase(&args.file)? {
            let hint = "name the file with your age identity: --identity FILE";
            return Err(Failure::usage(format!(
                "{} is encrypted for recipients",
                redact::redact_path(&args.file)
            ))
            .hint(hint)
            .into());
        }
        return Ok(BackupUnlock::Passphrase(args.passphrase.get("Passphrase of the backup", false)?));
    };
    if args.passphrase.is_given() {
        return Err(Failure::usage("use either --identity or a passphrase to open a backup, not both").into());
    }
    let text = File::open(identity).and_then(|file| Secret::read(file, MAX_LEN)).map_err(|error| {
        Failure::usage(format!("cannot read the identity file {}: {error}", redact::redact_path(identity)))
    })?;
    Ok(BackupUnlock::Identities(text))
}
