//! The source `keyring`: the system's key ring (the Secret Service on Linux).
//!
//! A call to it can wait forever: for a bus that does not answer, for somebody to type a password. So each is made on
//! a thread of its own, which is left behind when it takes too long.

use std::{env, path::Path, sync::mpsc, thread, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use keyring::{Entry, Error};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, RESTORE,
    source::{Open, Purpose},
};
use crate::store::{
    StoreError,
    crypto::seal::{SealingKey, random},
};

const PATIENCE: Duration = Duration::from_secs(8);
const SERVICE: &str = "authenticate";
/// The user name of the entry that is made to see whether the key ring keeps it.
const PROBE: &str = "probe";
const PROBES: usize = 3;

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The user name of the entry; its service is `authenticate`.
    pub account: String,
}

/// Why the key ring does not do what it should.
pub(super) enum KeyringFailure {
    /// There is none.
    Absent(String),
    /// It did not answer in time.
    TimedOut,
    Locked,
    /// It has no such entry.
    Missing,
    Other(String),
}

/// How it is unlocked where no desktop asks for its password.
const UNLOCK: &str = "unlock it (at the desktop, or, if it is GNOME's, with `gnome-keyring-daemon --replace --unlock`, \
                      which reads its password from standard input up to the end)";

impl KeyringFailure {
    /// As an error that says what to do.
    pub fn error(self, context: &Context) -> StoreError {
        let out = match context.when {
            Purpose::Opening => &format!("{RESTORE}, with AUTHENTICATE_KEY_SOURCE=key_file"),
            Purpose::First => "choose another source: AUTHENTICATE_KEY_SOURCE=key_file",
            Purpose::Rekey { .. } => "choose another source: --source key_file",
        };
        let why = match self {
            Self::Absent(why) => format!("there is no key ring ({why}): start one, or {out}"),
            Self::TimedOut => {
                let seconds = PATIENCE.as_secs();
                format!(
                    "the key ring did not answer within {seconds} seconds: {UNLOCK}, then try again, or {out}"
                )
            }
            Self::Locked => format!("the key ring is locked: {UNLOCK}, then try again, or {out}"),
            Self::Missing => format!("the key ring has no such entry any more: {out}"),
            Self::Other(why) => why,
        };
        context.refuse(KeySource::Keyring, why)
    }
}

/// Whether there is a session bus, on which a key ring could be.
pub(super) fn has_bus() -> bool {
    if cfg!(target_os = "macos") {
        return true;
    }
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

/// Writes something, reads it back, and deletes it. Always under the same name: what a probe that was killed left, the
/// next one takes away.
pub(super) fn probe() -> Result<(), KeyringFailure> {
    let kept = bounded(|| {
        for _ in 0..PROBES {
            let entry = Entry::new(SERVICE, PROBE)?;
            entry.set_secret(PROBE.as_bytes())?;
            let read = entry.get_secret();
            match (entry.delete_credential(), read) {
                // Another probe, which runs just now, was quicker.
                (_, Err(Error::NoEntry)) => {}
                (Ok(()) | Err(Error::NoEntry), read) => return Ok(read? == PROBE.as_bytes()),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(false)
    })?;
    if kept { Ok(()) } else { Err(KeyringFailure::Other("it does not keep what is put there".into())) }
}

pub(super) fn plan() -> Result<NewKey, StoreError> {
    let account = format!("store-{:016x}", u64::from_be_bytes(random()?));
    Ok(NewKey { recorded: KeyLocation::Keyring(Parameters { account }), key: SealingKey::random()? })
}

pub(super) fn establish(
    parameters: &Parameters,
    key: &SealingKey,
    context: &Context,
) -> Result<(), StoreError> {
    let account = parameters.account.clone();
    // Text, for not every key ring keeps other bytes.
    let text = Zeroizing::new(BASE64.encode(key.expose()));
    let same = bounded(move || {
        let entry = Entry::new(SERVICE, &account)?;
        entry.set_secret(text.as_bytes())?;
        Ok(*Zeroizing::new(entry.get_secret()?) == text.as_bytes())
    });
    match same.map_err(|trouble| trouble.error(context))? {
        true => Ok(()),
        false => Err(context.refuse(KeySource::Keyring, "it does not keep what is put there")),
    }
}

pub(super) fn unwrap(
    parameters: &Parameters,
    context: &Context,
    open: Open<'_>,
) -> Result<DataKey, StoreError> {
    let account = parameters.account.clone();
    let read = bounded(move || Entry::new(SERVICE, &account)?.get_secret().map(Zeroizing::new));
    let text = read.map_err(|trouble| trouble.error(context))?;
    let bytes = BASE64.decode(&**text).map(Zeroizing::new).ok();
    let key = bytes.and_then(|bytes| SealingKey::from_bytes(&bytes));
    key.and_then(|key| open(&key))
        .ok_or_else(|| context.refuse(KeySource::Keyring, format!("its entry holds another key: {RESTORE}")))
}

pub(super) fn discard(parameters: &Parameters, context: &Context) -> Result<(), StoreError> {
    let account = parameters.account.clone();
    match bounded(move || Entry::new(SERVICE, &account)?.delete_credential()) {
        Ok(()) | Err(KeyringFailure::Missing) => Ok(()),
        Err(trouble) => Err(trouble.error(context)),
    }
}

/// Does it on a thread, and does not wait for longer than we have patience.
fn bounded<T: Send + 'static>(
    what: impl FnOnce() -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeyringFailure> {
    let (send, receive) = mpsc::channel();
    let work = move || {
        // What the first call could not connect to is not there.
        let result = match Entry::store_status() {
            Ok(()) => what().map_err(failure),
            Err(error) => Err(KeyringFailure::Absent(error.to_string())),
        };
        let _ = send.send(result);
    };
    if let Err(error) = thread::Builder::new().name("key ring".into()).spawn(work) {
        return Err(KeyringFailure::Other(error.to_string()));
    }
    receive.recv_timeout(PATIENCE).unwrap_or(Err(KeyringFailure::TimedOut))
}

fn failure(error: Error) -> KeyringFailure {
    match error {
        Error::NoEntry => KeyringFailure::Missing,
        Error::NoStorageAccess(error) => {
            let said = error.to_string();
            let locked = said.contains("locked") || said.contains("prompt");
            if locked { KeyringFailure::Locked } else { KeyringFailure::Absent(said) }
        }
        Error::PlatformFailure(error) => {
            let said = error.to_string();
            if said.contains("IsLocked") { KeyringFailure::Locked } else { KeyringFailure::Absent(said) }
        }
        // Never as it is: some of its variants hold the secret.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeyringFailure::Other("its entry is damaged".into())
        }
        Error::Ambiguous(_) => KeyringFailure::Other("it has several such entries".into()),
        other => KeyringFailure::Other(other.to_string()),
    }
}
