//! `authenticate store backup`

use std::path::PathBuf;

use authenticate::{
    context::Context,
    store::{Action, BackupLock, may_write_backup},
};
use serde_json::json;

use super::passphrase;
use crate::cli::{failure::Failure, output};

#[derive(clap::Args)]
pub struct Args {
    /// The backup file to write
    file: PathBuf,
    /// Encrypt for this age recipient (age1..) in place of a passphrase; may be repeated
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    #[command(flatten)]
    passphrase: passphrase::Args,
    /// Replace an existing file
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
        return Err(Failure::usage("use either --recipient or a passphrase for a backup, not both").into());
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
        return Ok(output::json(&json!({"file": file, "records": records}))?);
    }
    output::note(&format!(
        "{} backed up to {}",
        output::credentials_are(records as u64),
        output::safe(&file)
    ));
    Ok(())
}
