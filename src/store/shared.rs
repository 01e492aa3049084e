//! One store in several hands of one process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Store;

/// A store that several share: one in memory, above all, which cannot be opened twice. Cloning it makes no copy.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Mutex<Store>>);

impl SharedStore {
    /// Shares a store.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// The store, for one operation: others wait. Not to be kept while something else is awaited.
    pub fn lock(&self) -> MutexGuard<'_, Store> {
        // Whoever panicked with it left a database that is whole: every change is a transaction.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
