//! The source `systemd-creds`: a key that systemd has sealed with the machine's TPM, or with a key of the machine that
//! only root can read. See systemd-creds(1).

use std::{process::Command, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Context, DataKey, KeyLocation, KeySource, NewKey, RESTORE, location::Open, run};
use crate::store::{StoreError, crypto::seal::SealingKey};

const PROGRAM: &str = "systemd-creds";
/// The name that is bound to the sealed key.
const NAME: &str = "--name=authenticate-store";
const PATIENCE: Duration = Duration::from_secs(20);

/// The record of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The key as systemd has sealed it, in base64.
    credential: String,
    /// Whether it is sealed for a user and not for the system.
    user: bool,
}

/// Makes a key, and has systemd seal it.
pub(super) fn make(context: &Context) -> Result<NewKey, StoreError> {
    let key = SealingKey::random()?;
    let user = !rustix::process::geteuid().is_root();
    let credential = run("encrypt", user, key.expose(), context)?;
    let credential = std::str::from_utf8(&credential).unwrap_or_default();
    let credential = credential.split_ascii_whitespace().collect();
    let location = KeyLocation::SystemdCreds(Parameters { credential, user });
    Ok(NewKey { location, key })
}

impl Parameters {
    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let altered =
            || context.refuse(KeySource::SystemdCreds, format!("the record of it was altered: {RESTORE}"));
        let sealed = BASE64.decode(&self.credential).map_err(|_| altered())?;
        let key = run("decrypt", self.user, BASE64.encode(sealed).as_bytes(), context)?;
        SealingKey::from_bytes(&key).and_then(|key| open(&key)).ok_or_else(altered)
    }
}

fn run(what: &str, user: bool, input: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let mut command = Command::new(PROGRAM);
    command.args([what, NAME]).args(user.then_some("--user")).args(["-", "-"]);
    match run::run(&mut command, PROGRAM, Some(input), PATIENCE) {
        Ok(output) => Ok(output.stdout),
        Err(why) => Err(context.refuse(KeySource::SystemdCreds, why)),
    }
}
