//! The source `keyring`: the system's key ring (the Secret Service on Linux).
//!
//! A call to it can wait forever: for a bus that does not answer, or for a person to type a password. So each call runs
//! on a thread of its own, which is abandoned if it takes too long.

use std::{env, path::Path, sync::mpsc, thread, time::Duration};

#[cfg(not(feature = "keyring"))]
use super::no_keyring as keyring;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use keyring::{Entry, Error};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Context, DataKey, KeyLocation, KeySource, NewKey, Purpose, RESTORE,
    location::{Location, Open, Request},
};
use crate::{
    credential::Secret,
    store::{
        StoreError,
        crypto::seal::{SealingKey, random},
        settings::KeyConfig,
    },
};

const PATIENCE: Duration = Duration::from_secs(8);
const SERVICE: &str = "authenticate";
/// The user name of the entry that tests whether the key ring keeps what is put there.
const PROBE: &str = "probe";
const PROBES: usize = 3;

/// The record of the source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The user name of the entry; its service is `authenticate`.
    account: String,
}

/// A failure of the key ring.
pub(super) enum KeyringFailure {
    /// There is no key ring.
    Absent(String),
    /// The key ring did not answer in time.
    TimedOut,
    Locked,
    /// The key ring has no such entry.
    Missing,
    Other(String),
}

/// The ways to unlock it.
const UNLOCK: &str = "unlock it (at the desktop, or, if it is GNOME's, with `gnome-keyring-daemon --replace --unlock`, \
                      which reads its password from standard input up to the end)";

impl KeyringFailure {
    /// Returns an error that says what to do.
    pub(super) fn error(self, context: &Context) -> StoreError {
        let out = match context.when {
            Purpose::Opening => &format!("{RESTORE}, with AUTHENTICATE_KEY_SOURCE=key_file"),
            Purpose::First => "choose another source: AUTHENTICATE_KEY_SOURCE=key_file",
            Purpose::Rekey { .. } => "choose another source",
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

/// Returns whether there is a session bus, which a key ring would be on.
pub(super) fn has_bus() -> bool {
    if cfg!(target_os = "macos") {
        return true;
    }
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

/// Writes an entry, reads it back and deletes it. The name is always the same, so that the next probe deletes what a
/// killed one has left.
pub(super) fn probe() -> Result<(), KeyringFailure> {
    let kept = bounded(|| {
        for _ in 0..PROBES {
            let entry = Entry::new(SERVICE, PROBE)?;
            entry.set_secret(PROBE.as_bytes())?;
            let read = entry.get_secret();
            match (entry.delete_credential(), read) {
                // A concurrent probe has deleted it.
                (_, Err(Error::NoEntry)) => {}
                (Ok(()) | Err(Error::NoEntry), read) => return Ok(read? == PROBE.as_bytes()),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(false)
    })?;
    if kept { Ok(()) } else { Err(KeyringFailure::Other("it does not keep what is put there".into())) }
}

impl Location for Parameters {
    fn prepare(_: &KeyConfig, context: &Context) -> Result<Option<Secret>, StoreError> {
        probe().map(|()| None).map_err(|failure| failure.error(context))
    }

    fn plan(_: &Request<'_>, _: &Context) -> Result<NewKey, StoreError> {
        let account = format!("store-{:016x}", u64::from_be_bytes(random()?));
        let location = KeyLocation::new(KeySource::Keyring, Self { account });
        Ok(NewKey { location, key: SealingKey::random()? })
    }

    fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let account = self.account.clone();
        let read = bounded(move || Entry::new(SERVICE, &account)?.get_secret().map(Zeroizing::new));
        let text = read.map_err(|failure| failure.error(context))?;
        let bytes = BASE64.decode(&**text).map(Zeroizing::new).ok();
        let key = bytes.and_then(|bytes| SealingKey::from_bytes(&bytes));
        key.and_then(|key| open(&key)).ok_or_else(|| {
            context.refuse(KeySource::Keyring, format!("its entry holds another key: {RESTORE}"))
        })
    }

    fn place(&self, _: &Context) -> String {
        format!("the key ring, as authenticate {}", self.account)
    }

    fn external(&self, _: &Context) -> Vec<String> {
        vec![self.account.clone()]
    }

    fn install(&self, key: &SealingKey, context: &Context) -> Result<bool, StoreError> {
        let account = self.account.clone();
        // In base64, because not every key ring keeps any bytes.
        let text = Zeroizing::new(BASE64.encode(key.expose()));
        let is_kept = bounded(move || {
            let entry = Entry::new(SERVICE, &account)?;
            entry.set_secret(text.as_bytes())?;
            Ok(*Zeroizing::new(entry.get_secret()?) == text.as_bytes())
        });
        match is_kept.map_err(|failure| failure.error(context))? {
            true => Ok(true),
            false => Err(context.refuse(KeySource::Keyring, "it does not keep what is put there")),
        }
    }

    fn uninstall(&self, context: &Context) -> Result<bool, StoreError> {
        let account = self.account.clone();
        match bounded(move || Entry::new(SERVICE, &account)?.delete_credential()) {
            Ok(()) | Err(KeyringFailure::Missing) => Ok(true),
            Err(failure) => Err(failure.error(context)),
        }
    }

    fn needs_passphrase(&self) -> Option<bool> {
        None
    }
}

/// Runs a call on a thread, and waits for it at most [`PATIENCE`].
fn bounded<T: Send + 'static>(
    call: impl FnOnce() -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeyringFailure> {
    let (send, receive) = mpsc::channel();
    let work = move || {
        // If no connection could be made, there is no key ring.
        let result = match Entry::store_status() {
            Ok(()) => call().map_err(failure),
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
        // Without the error's text: some of its variants hold the secret.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeyringFailure::Other("its entry is damaged".into())
        }
        Error::Ambiguous(_) => KeyringFailure::Other("it has several such entries".into()),
        other => KeyringFailure::Other(other.to_string()),
    }
}
