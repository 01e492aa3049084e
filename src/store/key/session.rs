//! Keeping a data key unlocked for a time, in the user's key ring in the kernel (user-keyring(7)).
//!
//! The kernel drops the key when its time is over, and with the last process of the user. It is never in a file.

use std::time::Duration;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{DataKey, ID};
use crate::store::crypto::seal::{KEY, SealingKey};

/// A data key, and the end of its time in Unix seconds.
type Entry = Zeroizing<[u8; KEY + 8]>;

fn name(id: &[u8; ID]) -> String {
    id.iter().fold(String::from("authenticate:"), |name, byte| name + &format!("{byte:02x}"))
}

/// Keeps a key for this long and returns the end, `None` if this process has no key ring in the kernel.
pub(in crate::store) fn keep(key: &DataKey, time: Duration) -> Option<Timestamp> {
    let until = crate::clock::now().as_second().saturating_add_unsigned(time.as_secs());
    let mut entry: Entry = Zeroizing::new([0; KEY + 8]);
    let bytes = key.key.expose().iter().copied().chain(until.to_be_bytes());
    entry.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    ring::add(&name(&key.id), &entry, time)?;
    Some(Timestamp::from_second(until).unwrap_or(Timestamp::MAX))
}

/// Returns the key that is kept under this id, and the end of its time.
pub(in crate::store) fn find(id: &[u8; ID]) -> Option<(DataKey, Timestamp)> {
    let entry = ring::read(&name(id))?;
    let (key, until) = entry.split_at(KEY);
    let until = Timestamp::from_second(i64::from_be_bytes(until.try_into().ok()?)).ok()?;
    // The kernel counts the time while the machine runs, not while it sleeps.
    if until <= crate::clock::now() {
        forget(id);
        return None;
    }
    Some((DataKey { id: *id, key: SealingKey::from_bytes(key)? }, until))
}

/// Forgets a key. Returns whether it was kept.
pub(in crate::store) fn forget(id: &[u8; ID]) -> bool {
    ring::remove(&name(id))
}

#[cfg(target_os = "linux")]
mod ring {
    use linux_keyutils::{Key, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

    use super::*;

    fn ring() -> Option<KeyRing> {
        KeyRing::from_special_id(KeyRingIdentifier::User, true).ok()
    }

    fn find(name: &str) -> Option<Key> {
        ring()?.search(name).ok()
    }

    pub(super) fn add(name: &str, entry: &Entry, time: Duration) -> Option<()> {
        // A timeout of zero would mean none.
        let seconds = u32::try_from(time.as_secs().max(1)).unwrap_or(u32::MAX);
        let key = ring()?.add_key(name, &entry[..]).ok()?;
        // Every process of the user may use it, in any session.
        let permissions =
            KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build();
        let kept = key.set_perms(permissions).is_ok() && key.set_timeout(seconds as usize).is_ok();
        if !kept {
            let _ = key.invalidate();
        }
        read(name).filter(|_| kept).map(drop)
    }

    pub(super) fn read(name: &str) -> Option<Entry> {
        let mut entry: Entry = Zeroizing::new([0; KEY + 8]);
        let length = find(name)?.read(&mut *entry).ok()?;
        (length == entry.len()).then_some(entry)
    }

    pub(super) fn remove(name: &str) -> bool {
        find(name).is_some_and(|key| key.invalidate().is_ok() || key.revoke().is_ok())
    }
}

#[cfg(not(target_os = "linux"))]
mod ring {
    use super::*;

    pub fn add(_: &str, _: &Entry, _: Duration) -> Option<()> {
        None
    }

    pub fn read(_: &str) -> Option<Entry> {
        None
    }

    pub fn remove(_: &str) -> bool {
        false
    }
}
