//! The source `command`: a command prints the passphrase, for example a password manager's. The key is derived from it
//! as for the source `passphrase`.

use std::{process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, Purpose, location::Open, passphrase::Derivation, run,
};
use crate::{credential::Secret, store::StoreError};

/// The time limit of the command: enough for a person to touch a token or to type a PIN.
const PATIENCE: Duration = Duration::from_secs(60);

/// The record of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The command and its arguments.
    pub(super) command: Vec<String>,
    derivation: Derivation,
}

/// Returns an error that says where the command is set: the recorded one is used until the store is rekeyed.
fn refuse(context: &Context, why: &str) -> StoreError {
    let from = match context.when {
        Purpose::Opening => "it was recorded from store.passphrase_command in config.yaml",
        Purpose::First | Purpose::Rekey { .. } => "it is store.passphrase_command in config.yaml",
    };
    context.refuse(KeySource::Command, format!("{why} ({from})"))
}

/// Runs the command and returns the first line that it prints.
fn passphrase(words: &[String], context: &Context) -> Result<Secret, StoreError> {
    let refuse = |why: String| refuse(context, &why);
    let Some((program, arguments)) = words.split_first() else {
        let why = "no command is set: name it with store.passphrase_command in config.yaml";
        return Err(context.refuse(KeySource::Command, why));
    };
    let shown = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| program.clone());
    let shown = format!("`{shown}`");
    let output = run::run(Command::new(program).args(arguments), &shown, None, PATIENCE).map_err(refuse)?;
    let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
        Ok("") => Err(refuse(format!("{shown} printed no passphrase: {}", output.complaint()))),
        Ok(line) => Ok(Secret::new(line)),
        Err(_) => Err(refuse(format!("the first line that {shown} printed is not UTF-8 text"))),
    }
}

/// Makes a key from what the command prints.
pub(super) fn make(command: Vec<String>, context: &Context) -> Result<NewKey, StoreError> {
    let passphrase = passphrase(&command, context)?;
    let (derivation, key) = Derivation::make(&passphrase, context, KeySource::Command)?;
    let location = KeyLocation::Command(Parameters { command, derivation });
    Ok(NewKey { location, key })
}

impl Parameters {
    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let passphrase = passphrase(&self.command, context)?;
        let key = self.derivation.derive(&passphrase);
        key.and_then(|key| open(&key)).ok_or_else(|| {
            let why = "what the command printed is not the passphrase of this store: \
                       see that it prints the right one";
            refuse(context, why)
        })
    }

    pub(super) fn place(&self) -> String {
        let words = shlex::try_join(self.command.iter().map(String::as_str));
        format!("what `{}` prints", words.unwrap_or_default())
    }
}
