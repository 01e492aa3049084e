//! The source `command`: a command prints the passphrase, a password manager's for example. The key is derived from
//! it as for the source `passphrase`.

use std::{process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Context, DataKey, Fresh, Recorded, Source,
    passphrase::Derivation,
    run::{self, RunError},
    source::Open,
};
use crate::{secret::Secret, store::StoreError};

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

/// Runs the command. Its passphrase is the first line that it prints.
pub(super) fn passphrase(words: &[String], context: &Context) -> Result<Secret, StoreError> {
    let refuse = |why: String| context.refuse(Source::Command, why);
    let Some((program, arguments)) = words.split_first() else {
        return Err(refuse(
            "store.passphrase_command in the configuration says which command: set it".into(),
        ));
    };
    let shown = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| program.clone());
    let output = match run::run(Command::new(program).args(arguments), None, PATIENCE) {
        Ok(output) => output,
        Err(RunError::NotStarted(error)) => return Err(refuse(format!("cannot run `{shown}`: {error}"))),
        Err(RunError::TimedOut) => {
            let seconds = PATIENCE.as_secs();
            return Err(refuse(format!("`{shown}` did not end within {seconds} seconds: run it by hand")));
        }
        Err(RunError::Failed(error)) => return Err(refuse(format!("`{shown}` failed: {error}"))),
    };
    if !output.success {
        return Err(refuse(format!("`{shown}` failed: {}", output.complaint())));
    }
    let text = std::str::from_utf8(&output.stdout).ok();
    match text.and_then(|text| text.lines().next()).filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line)),
        None => Err(refuse(format!("`{shown}` printed no passphrase: {}", output.complaint()))),
    }
}

pub(super) fn plan(words: &[String], passphrase: &Secret, context: &Context) -> Result<Fresh, StoreError> {
    let (derivation, key) = Derivation::make(passphrase, context, Source::Command)?;
    Ok(Fresh { recorded: Recorded::Command(Parameters { command: words.to_vec(), derivation }), key })
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
        context.refuse(Source::Command, why)
    })
}
