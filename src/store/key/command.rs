//! The source `command`: a command prints the passphrase, a password manager's for example. The key is derived from
//! it as for the source `passphrase`.

use std::{process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey,
    passphrase::Derivation,
    run::{self, RunError},
    source::{Open, Purpose},
};
use crate::{credential::Secret, store::StoreError};

/// How long the command may take. Long enough for a person to touch a token or to type a pin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The command and its arguments.
    pub command: Vec<String>,
    derivation: Derivation,
}

/// Says which command it was: what is recorded counts, until there is another key.
fn refuse(context: &Context, why: &str) -> StoreError {
    let from = match context.when {
        Purpose::Opening => "it was recorded from store.passphrase_command in config.yaml",
        Purpose::First | Purpose::Rekey { .. } => "it is store.passphrase_command in config.yaml",
    };
    context.refuse(KeySource::Command, format!("{why} ({from})"))
}

/// Runs the command. Its passphrase is the first line that it prints.
pub(super) fn passphrase(words: &[String], context: &Context) -> Result<Secret, StoreError> {
    let refuse = |why: String| refuse(context, &why);
    let Some((program, arguments)) = words.split_first() else {
        let why = "store.passphrase_command in config.yaml says which command: set it";
        return Err(context.refuse(KeySource::Command, why));
    };
    let shown = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| program.clone());
    let output = match run::run(Command::new(program).args(arguments), None, PATIENCE) {
        Ok(output) => output,
        Err(RunError::NotStarted(error)) => return Err(refuse(format!("cannot run `{shown}`: {error}"))),
        Err(RunError::TimedOut) => {
            let seconds = PATIENCE.as_secs();
            return Err(refuse(format!("`{shown}` did not end within {seconds} seconds: run it by hand")));
        }
        Err(RunError::TooMuch) => {
            let most = run::MOST / 1024;
            return Err(refuse(format!("`{shown}` printed more than {most} KiB, which is no passphrase")));
        }
        Err(RunError::Failed(error)) => return Err(refuse(format!("`{shown}` failed: {error}"))),
    };
    if !output.success {
        return Err(refuse(format!("`{shown}` failed: {}", output.complaint())));
    }
    let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
        Ok("") => Err(refuse(format!("`{shown}` printed no passphrase: {}", output.complaint()))),
        Ok(line) => Ok(Secret::new(line)),
        Err(_) => Err(refuse(format!("the first line that `{shown}` printed is not UTF-8 text"))),
    }
}

pub(super) fn plan(words: &[String], passphrase: &Secret, context: &Context) -> Result<NewKey, StoreError> {
    let (derivation, key) = Derivation::make(passphrase, context, KeySource::Command)?;
    Ok(NewKey { recorded: KeyLocation::Command(Parameters { command: words.to_vec(), derivation }), key })
}

pub(super) fn unwrap(
    parameters: &Parameters,
    context: &Context,
    open: Open<'_>,
) -> Result<DataKey, StoreError> {
    let passphrase = passphrase(&parameters.command, context)?;
    let key = parameters.derivation.derive(&passphrase);
    key.and_then(|key| open(&key)).ok_or_else(|| {
        let why =
            "what the command printed is not the passphrase of this store: see that it prints the right one";
        refuse(context, why)
    })
}
