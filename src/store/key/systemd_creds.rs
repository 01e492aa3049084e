//! The source `systemd-creds`: a key that systemd has sealed, to the machine's TPM or to a key of the machine that only
//! root can read. See systemd-creds(1).

use std::{process::Command, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, RESTORE,
    run::{self, RunError},
    source::Open,
};
use crate::store::{StoreError, crypto::seal::SealingKey};

const PROGRAM: &str = "systemd-creds";
/// Bound into what is sealed.
const NAME: &str = "--name=authenticate-store";
const PATIENCE: Duration = Duration::from_secs(20);

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// What systemd made of the key, in base64.
    credential: String,
    /// Sealed for a user, not for the system.
    user: bool,
}

pub(super) fn plan(context: &Context) -> Result<NewKey, StoreError> {
    let key = SealingKey::random()?;
    let user = !rustix::process::geteuid().is_root();
    let credential = run("encrypt", user, key.expose(), context)?;
    let credential = std::str::from_utf8(&credential).unwrap_or_default();
    let credential: String = credential.split_ascii_whitespace().collect();
    let recorded = KeyLocation::SystemdCreds(Parameters { credential, user });
    Ok(NewKey { recorded, key })
}

pub(super) fn unwrap(
    parameters: &Parameters,
    context: &Context,
    open: Open<'_>,
) -> Result<DataKey, StoreError> {
    let altered =
        || context.refuse(KeySource::SystemdCreds, format!("the record of it was altered: {RESTORE}"));
    let sealed = BASE64.decode(&parameters.credential).map_err(|_| altered())?;
    let key = run("decrypt", parameters.user, BASE64.encode(sealed).as_bytes(), context)?;
    SealingKey::from_bytes(&key).and_then(|key| open(&key)).ok_or_else(altered)
}

fn run(
    what: &str,
    user: bool,
    input: &[u8],
    context: &Context,
) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
    let refuse = |why: String| context.refuse(KeySource::SystemdCreds, why);
    let mut command = Command::new(PROGRAM);
    command.args([what, NAME]).args(user.then_some("--user")).args(["-", "-"]);
    match run::run(&mut command, Some(input), PATIENCE) {
        Ok(output) if output.success => Ok(output.stdout),
        Ok(output) => Err(refuse(format!("`{PROGRAM} {what}` failed: {}", output.complaint()))),
        Err(RunError::NotStarted(error)) => Err(refuse(format!("cannot run {PROGRAM}: {error}"))),
        Err(RunError::TimedOut) => {
            Err(refuse(format!("`{PROGRAM} {what}` did not end within {} seconds", PATIENCE.as_secs())))
        }
        Err(RunError::TooMuch) => Err(refuse(format!("`{PROGRAM} {what}` printed too much"))),
        Err(RunError::Failed(error)) => Err(refuse(format!("`{PROGRAM} {what}` failed: {error}"))),
    }
}
