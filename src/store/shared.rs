//! Sharing one store within a process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Store;
use crate::blocking;

/// A shared store, for example one in memory, which cannot be opened twice. Clones share the store.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Mutex<Store>>);

impl SharedStore {
    /// Shares a store.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// Returns a number that differs between the shared stores of this process, while they live.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Locks the store for one operation, while others wait. Blocks; in `async` code use [`SharedStore::run`].
    pub fn lock(&self) -> MutexGuard<'_, Store> {
        // A thread that panicked has left a consistent database, because every change is a transaction.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one operation on a thread of tokio where blocking is allowed. It runs to its end even if the caller stops
    /// waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> T {
        let store = self.clone();
        blocking::run(move || operation(&mut store.lock())).await
    }
}
