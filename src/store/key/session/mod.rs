//! A data key that is kept unlocked for a time: in the kernel's key ring of the user, or where there is none, in a file
//! in `XDG_RUNTIME_DIR`, if that is in memory. Never on a disk.

mod file;
mod kernel;

use std::time::Duration;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{DataKey, ID};
use crate::store::{
    StoreError,
    crypto::seal::{KEY, SealingKey},
};

/// What is kept: the key, and when it stops being kept, in Unix seconds.
type Kept = Zeroizing<[u8; KEY + 8]>;

/// The name under which a key is kept.
fn name(id: &[u8; ID]) -> String {
    id.iter().fold(String::from("authenticate:"), |name, byte| name + &format!("{byte:02x}"))
}

/// Keeps it for this long, and says until when.
pub(in crate::store) fn keep(key: &DataKey, time: Duration) -> Result<Timestamp, StoreError> {
    let until = Timestamp::now().as_second().saturating_add_unsigned(time.as_secs());
    let mut kept: Kept = Zeroizing::new([0; KEY + 8]);
    kept.iter_mut()
        .zip(key.key.expose().iter().copied().chain(until.to_be_bytes()))
        .for_each(|(to, from)| *to = from);
    let name = name(&key.id);
    if !kernel::keep(&name, &kept, time) {
        file::keep(&name, &kept)?;
    }
    Ok(Timestamp::from_second(until).unwrap_or(Timestamp::MAX))
}

/// The key that is kept under this id, and until when.
pub(in crate::store) fn find(id: &[u8; ID]) -> Option<(DataKey, Timestamp)> {
    let name = name(id);
    let kept = kernel::find(&name).or_else(|| file::find(&name))?;
    let (key, until) = kept.split_at(KEY);
    let until = Timestamp::from_second(i64::from_be_bytes(until.try_into().ok()?)).ok()?;
    if until <= Timestamp::now() {
        forget(id);
        return None;
    }
    Some((DataKey { id: *id, key: SealingKey::from_bytes(key)? }, until))
}

/// Forgets it; true when it was kept.
pub(in crate::store) fn forget(id: &[u8; ID]) -> bool {
    let name = name(id);
    let (kernel, file) = (kernel::forget(&name), file::forget(&name));
    kernel || file
}
