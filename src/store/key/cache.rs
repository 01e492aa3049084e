//! The data keys that this process holds. As long as one is held, no other store of the process has to get it from its
//! source, which may run a command or ask a person.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{DataKey, ID};
use crate::store::Store;

static HELD: Mutex<Vec<Weak<DataKey>>> = Mutex::new(Vec::new());

/// A held data key, for all stores of the process that have the same.
#[derive(Clone, Default)]
pub struct CachedKey {
    _key: Option<Arc<DataKey>>,
}

/// Always equal: the cached key is an optimisation, not part of the value.
impl PartialEq for CachedKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CachedKey {}

impl fmt::Debug for CachedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedKey(..)")
    }
}

impl Store {
    /// Returns the key, if this store has it. As long as the value lives, opening the store again in this process does not
    /// get the key from its source again.
    pub fn cached_key(&self) -> CachedKey {
        CachedKey { _key: self.kept().clone() }
    }
}

/// Makes a key available to [`find`], for as long as it lives.
pub(super) fn offer(key: &Arc<DataKey>) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|known| known.strong_count() > 0);
    held.push(Arc::downgrade(key));
}

/// Returns the key with this id, if the process holds it.
pub(super) fn find(id: &[u8; ID]) -> Option<DataKey> {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter().filter_map(Weak::upgrade).find(|key| key.id == *id).map(|key| (*key).clone())
}
