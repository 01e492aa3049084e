//! `authenticate store backup`

use std::path::PathBuf;

use authenticate::{
    context::Context,
    store::{Action, BackupLock, may_write_backup},
};
use serde_json::json;

use super::passphrase;
use crate::cli::{failure::Usage, output};

#[derive(clap::Args)]
pub struct Args {
    /// The file to write
    file: PathBuf,
    /// Seal it for this age recipient (age1..) in place of a passphrase; may be repeated
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    #[command(flatten)]
    passphrase: passphrase::Args,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let store = super::existing(context)?;
    let store = store.lock();
    if !args.recipient.is_empty() && args.passphrase.is_given() {
        return Err(Usage::new("a backup is sealed for recipients or with a passphrase, not both").into());
    }
    may_write_backup(&args.file, args.force)?;
    store.prepare_for(Action::Backup)?;
    let lock = if args.recipient.is_empty() {
        BackupLock::Passphrase(args.passphrase.get("New passphrase for the backup", true)?)
    } else {
        BackupLock::Recipients(args.recipient)
    };
    let records = store.backup(&args.file, &lock, args.force)?;
    let file = args.file.display().to_string();
    if args.json {
        return Ok(output::json(&json!({"schema": 1, "file": file, "records": records}))?);
    }
    output::note(&format!("{} in {}", output::credentials_are(records as u64), output::safe(&file)));
    Ok(())
}
