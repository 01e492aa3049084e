//! `authenticate store rekey`

use std::path::PathBuf;

use authenticate::{
    context::Context,
    refresh::maintenance,
    store::{KeySource, Rekey},
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;

use super::passphrase;
use crate::cli::{failure::Failure, finish, output, possible_value};

#[derive(clap::Args)]
pub struct Args {
    /// Keep the new key in this source [default: the current one]
    #[arg(long, value_parser = source())]
    source: Option<KeySource>,
    /// Write the key file to this absolute path [default: in the data directory]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: passphrase::Args,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Parses a key source by its name.
fn source() -> impl TypedValueParser<Value = KeySource> {
    let sources = [
        (KeySource::Keyring, "The system's key ring"),
        (KeySource::Passphrase, "A passphrase"),
        (KeySource::SystemdCreds, "A TPM or a key of the machine, by systemd-creds"),
        (KeySource::Command, "The output of `store.passphrase_command` in config.yaml"),
        (KeySource::KeyFile, "A file with a random key"),
    ];
    PossibleValuesParser::new(sources.map(|(source, help)| possible_value(source.as_str()).help(help)))
        .try_map(|name| name.parse())
}

pub fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let store = super::existing(context)?;
    let current = store.lock().key_state()?.and_then(|state| state.source);
    let next = args.source.or(args.key_file.as_ref().map(|_| KeySource::KeyFile)).or(current);
    if args.key_file.as_ref().is_some_and(|file| !file.is_absolute()) {
        return Err(Failure::usage("--key-file must be an absolute path").into());
    }
    if args.key_file.is_some() && next != Some(KeySource::KeyFile) {
        return Err(Failure::usage("--key-file needs --source key_file").into());
    }
    if args.passphrase.is_given() && next != Some(KeySource::Passphrase) {
        let hint = "the current passphrase is read from the terminal, from AUTHENTICATE_PASSPHRASE_FILE, or kept by \
                    `authenticate store unlock`";
        return Err(Failure::usage(
            "the passphrase flags give the new passphrase and need --source passphrase",
        )
        .hint(hint)
        .into());
    }
    let options = Rekey { source: next, key_file: args.key_file, passphrase: args.passphrase.given()? };
    finish(maintenance::rekey(&store, options))??;
    let store = store.lock();
    let state = store.key_state()?;
    let records = store.count()?;
    if args.json {
        return Ok(output::json(&json!({
            "records": records,
            "source": state.as_ref().and_then(|state| state.source).map(|source| source.as_str()),
            "place": state.map(|state| state.place),
        }))?);
    }
    output::note(&format!("{} sealed with a new key", output::credentials_are(records)));
    Ok(())
}
