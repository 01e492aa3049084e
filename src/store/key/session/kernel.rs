//! The kernel's key ring of the user, see user-keyring(7). It ends with the last process of the user, and with the time.

use std::time::Duration;

use super::Kept;

#[cfg(target_os = "linux")]
mod linux {
    use linux_keyutils::{Key, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
    use zeroize::Zeroizing;

    use super::*;

    fn ring() -> Option<KeyRing> {
        KeyRing::from_special_id(KeyRingIdentifier::User, true).ok()
    }

    fn key(name: &str) -> Option<Key> {
        ring()?.search(name).ok()
    }

    pub fn keep(name: &str, kept: &Kept, time: Duration) -> bool {
        // None would be for ever.
        let seconds = u32::try_from(time.as_secs().max(1)).unwrap_or(u32::MAX);
        let put = || {
            let key = ring()?.add_key(name, &kept[..]).ok()?;
            // Every process of the user, in whichever session: that is what the user's own key ring is for.
            let permissions =
                KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build();
            let kept = key.set_perms(permissions).is_ok() && key.set_timeout(seconds as usize).is_ok();
            if !kept {
                let _ = key.invalidate();
            }
            kept.then_some(())
        };
        put().is_some() && find(name).is_some()
    }

    pub fn find(name: &str) -> Option<Kept> {
        let mut kept: Kept = Zeroizing::new([0; super::super::KEY + 8]);
        let length = key(name)?.read(&mut *kept).ok()?;
        (length == kept.len()).then_some(kept)
    }

    pub fn forget(name: &str) -> bool {
        key(name).is_some_and(|key| key.invalidate().is_ok() || key.revoke().is_ok())
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{find, forget, keep};

#[cfg(not(target_os = "linux"))]
pub(super) fn keep(_: &str, _: &Kept, _: Duration) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn find(_: &str) -> Option<Kept> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_: &str) -> bool {
    false
}
