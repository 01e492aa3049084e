//! One store in several hands of one process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Store, StoreError};
use crate::config::Paths;

/// A store that several share: one in memory, above all, which cannot be opened twice. Cloning it makes no copy.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Mutex<Store>>);

impl SharedStore {
    /// Shares a store.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// The one that is given, or else that of the data directory.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(given: Option<&Self>, paths: &Paths) -> Result<Self, StoreError> {
        match given {
            Some(store) => Ok(store.clone()),
            None => Ok(Self::new(Store::open(paths)?)),
        }
    }

    /// The same, if there is one: none is made in the data directory.
    ///
    /// # Errors
    /// As [`Store::open_existing`].
    pub fn open_existing(given: Option<&Self>, paths: &Paths) -> Result<Option<Self>, StoreError> {
        match given {
            Some(store) => Ok(Some(store.clone())),
            None => Ok(Store::open_existing(paths)?.map(Self::new)),
        }
    }

    /// Tells apart the shared stores of this process, while they live.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The store, for one operation: others wait. Not to be kept while something else is awaited.
    pub fn lock(&self) -> MutexGuard<'_, Store> {
        // Whoever panicked with it left a database that is whole: every change is a transaction.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
