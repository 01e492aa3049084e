//! A data key that the process has already: as long as somebody in it holds the key, no other store has to get it from its
//! source, which may run a command or ask a person.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{DataKey, ID};
use crate::store::Store;

static HELD: Mutex<Vec<Weak<DataKey>>> = Mutex::new(Vec::new());

/// Holds the data key of a store, for the other stores of the process that have the same.
#[derive(Clone, Default)]
pub struct CachedKey {
    _key: Option<Arc<DataKey>>,
}

/// What holds a key is the same as what does not: only how soon a key is there differs.
impl PartialEq for CachedKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CachedKey {}

impl fmt::Debug for CachedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldKey(..)")
    }
}

impl Store {
    /// The key of this store, if it has got it: as long as the value lives, whoever opens the store again in this process
    /// need not get the key again.
    pub fn cached_key(&self) -> CachedKey {
        CachedKey { _key: self.kept().clone() }
    }
}

/// From now on it can be found.
pub(super) fn offer(key: &Arc<DataKey>) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|known| known.strong_count() > 0);
    held.push(Arc::downgrade(key));
}

/// The key of this id, if somebody holds it.
pub(super) fn find(id: &[u8; ID]) -> Option<DataKey> {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter().filter_map(Weak::upgrade).find(|key| key.id == *id).map(|key| (*key).clone())
}
