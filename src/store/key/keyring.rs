//! The source `keyring`: the system's key ring (the Secret Service on Linux).
//!
//! A call to it can wait forever: for a bus that does not answer, or for a person to type a password. So each call runs
//! on a thread of its own, which is abandoned if it takes too long.

use std::{env, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Context, DataKey, KeyLocation, KeySource, NewKey, Purpose, RESTORE, location::Open};
use crate::store::{
    StoreError,
    crypto::seal::{SealingKey, random},
};

const PATIENCE: Duration = Duration::from_secs(8);
/// The account of the entry that tests whether the key ring keeps what is put there.
const PROBE: &str = "probe";
const PROBES: usize = 3;

/// The record of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Parameters {
    /// The account of the entry; its service is `authenticate`.
    pub(super) account: String,
}

/// A failure of the key ring.
#[cfg_attr(not(feature = "keyring"), allow(dead_code, reason = "there is no key ring that could fail"))]
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
    for _ in 0..PROBES {
        ring::write(PROBE, PROBE.as_bytes())?;
        let read = ring::read(PROBE);
        match (ring::remove(PROBE), read) {
            // A concurrent probe has deleted it.
            (_, Err(KeyringFailure::Missing)) => {}
            (Ok(()) | Err(KeyringFailure::Missing), read) => {
                let is_kept = **read? == *PROBE.as_bytes();
                return is_kept.then_some(()).ok_or_else(not_kept);
            }
            (Err(failure), _) => return Err(failure),
        }
    }
    Err(not_kept())
}

fn not_kept() -> KeyringFailure {
    KeyringFailure::Other("it does not keep what is put there".into())
}

/// Makes a key for a new entry.
pub(super) fn make() -> Result<NewKey, StoreError> {
    let account = format!("store-{:016x}", u64::from_be_bytes(random()?));
    let location = KeyLocation::Keyring(Parameters { account });
    Ok(NewKey { location, key: SealingKey::random()? })
}

impl Parameters {
    pub(super) fn unwrap(&self, context: &Context, open: Open<'_>) -> Result<DataKey, StoreError> {
        let text = ring::read(&self.account).map_err(|failure| failure.error(context))?;
        let bytes = BASE64.decode(&**text).map(Zeroizing::new).ok();
        let key = bytes.and_then(|bytes| SealingKey::from_bytes(&bytes));
        key.and_then(|key| open(&key)).ok_or_else(|| {
            context.refuse(KeySource::Keyring, format!("its entry holds another key: {RESTORE}"))
        })
    }

    pub(super) fn place(&self) -> String {
        format!("the key ring, as authenticate {}", self.account)
    }

    pub(super) fn install(&self, key: &SealingKey, context: &Context) -> Result<(), StoreError> {
        // In base64, because not every key ring keeps any bytes.
        let text = Zeroizing::new(BASE64.encode(key.expose()));
        let written = ring::write(&self.account, text.as_bytes()).and_then(|()| ring::read(&self.account));
        match written {
            Ok(kept) if **kept == *text.as_bytes() => Ok(()),
            Ok(_) => Err(not_kept().error(context)),
            Err(failure) => Err(failure.error(context)),
        }
    }

    pub(super) fn uninstall(&self, context: &Context) -> Result<(), StoreError> {
        match ring::remove(&self.account) {
            Ok(()) | Err(KeyringFailure::Missing) => Ok(()),
            Err(failure) => Err(failure.error(context)),
        }
    }
}

/// Calls to the key ring, each on a thread of its own that is waited for at most [`PATIENCE`].
#[cfg(feature = "keyring")]
mod ring {
    use std::{sync::mpsc, thread};

    use keyring::{Entry, Error};

    use super::*;

    const SERVICE: &str = "authenticate";

    pub(super) fn read(account: &str) -> Result<Zeroizing<Vec<u8>>, KeyringFailure> {
        bounded(account, |entry| entry.get_secret().map(Zeroizing::new))
    }

    pub(super) fn write(account: &str, secret: &[u8]) -> Result<(), KeyringFailure> {
        let secret = Zeroizing::new(secret.to_vec());
        bounded(account, move |entry| entry.set_secret(&secret))
    }

    pub(super) fn remove(account: &str) -> Result<(), KeyringFailure> {
        bounded(account, |entry| entry.delete_credential())
    }

    fn bounded<T: Send + 'static>(
        account: &str,
        call: impl FnOnce(Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, KeyringFailure> {
        let account = account.to_owned();
        let (send, receive) = mpsc::channel();
        let work = move || {
            // If no connection could be made, there is no key ring.
            let result = match Entry::store_status() {
                Ok(()) => Entry::new(SERVICE, &account).and_then(call).map_err(failure),
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
}

#[cfg(not(feature = "keyring"))]
mod ring {
    use super::*;

    pub(super) fn read(_: &str) -> Result<Zeroizing<Vec<u8>>, KeyringFailure> {
        Err(none())
    }

    pub(super) fn write(_: &str, _: &[u8]) -> Result<(), KeyringFailure> {
        Err(none())
    }

    pub(super) fn remove(_: &str) -> Result<(), KeyringFailure> {
        Err(none())
    }

    fn none() -> KeyringFailure {
        KeyringFailure::Other(
            "this program was built without the feature `keyring`: use one that has it, or another source"
                .into(),
        )
    }
}

#[cfg(not(feature = "keyring"))]
#[cfg(test)]
mod tests {
    use crate::{
        credential::{Address, Credential, Metadata},
        store::{KeySource, Place, Store},
    };

    #[test]
    fn a_key_ring_in_a_build_without_the_feature_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::from(directory.path()).key_source(KeySource::Keyring);
        let mut store = Store::open(place).expect("a store");
        let address = Address::default_profile("p".parse().expect("a name"));
        let error = store.put(&address, &Credential::api_key("k"), &Metadata::default()).expect_err("no key");
        assert!(error.to_string().contains("built without the feature `keyring`"), "{error}");
    }
}
