//! The source `command`: a command prints the passphrase, for example a password manager's. The key is derived from it
//! as for the source `passphrase`.
//!
//! The command is in the settings, which only their owner can write. A database may come from elsewhere, so what it says
//! is never run.

use std::{path::Path, process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Context, DataKey, KeyLocation, KeySource, NewKey, location::Open, passphrase::Derivation, run};
use crate::{credential::Secret, store::StoreError};

/// The time limit of the command: enough for a person to touch a token or to type a PIN.
const PATIENCE: Duration = Duration::from_secs(60);
/// The setting that names the command.
pub(super) const SETTING: &str = "store.passphrase_command in config.yaml";

/// The record of the source. Earlier versions recorded the command, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Parameters {
    derivation: Derivation,
}

/// Returns an error that says where the command is set.
fn refuse(context: &Context, why: &str) -> StoreError {
    context.refuse(KeySource::Command, format!("{why} (it is {SETTING})"))
}

/// Runs the command and returns the first line that it prints.
fn passphrase(context: &Context) -> Result<Secret, StoreError> {
    let refuse = |why: String| refuse(context, &why);
    let words = context.place.key_config()?.passphrase_command.unwrap_or_default();
    let Some((program, arguments)) = words.split_first() else {
        let file = context.place.file().unwrap_or(Path::new("config.yaml"));
        let why = format!(
            "no command is set: write the one that prints the passphrase into {}, as \
             `store: {{passphrase_command: [PROGRAM, ARGUMENT]}}`",
            file.display()
        );
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
pub(super) fn make(context: &Context) -> Result<NewKey, StoreError> {
    let passphrase = passphrase(context)?;
    let (derivation, key) = Derivation::make(&passphrase, context, KeySource::Command)?;
    let location = KeyLocation::Command(Parameters { derivation });
    Ok(NewKey { location, key })
}

impl Parameters {
    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let passphrase = passphrase(context)?;
        let key = self.derivation.derive(&passphrase);
        key.and_then(|key| open(&key)).ok_or_else(|| {
            let why = "what the command printed is not the passphrase of this store: \
                       see that it prints the right one";
            refuse(context, why)
        })
    }
}
