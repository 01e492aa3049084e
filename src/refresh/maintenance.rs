//! Changes to the whole store, which wait for refreshes in flight: after the change, a vendor's answer could not be stored.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{LONGEST, RefreshError, lock::RefreshLock, precheck::busy};
use crate::{
    credential::Address,
    store::{Action, BackupUnlock, Outcome, Rekey, Restored, SharedStore, Store, StoreError},
};

/// Gives a store another key, as [`Store::rekey`](crate::store::Store::rekey), once no refresh is in flight.
///
/// # Errors
/// [`RefreshError::Busy`] if a refresh takes longer than its limit; [`RefreshError::Store`].
pub async fn rekey(store: &SharedStore, options: Rekey) -> Result<(), RefreshError> {
    // A passphrase is asked for once, however often the change is tried.
    let prepared = store.run(move |store| store.prepare_rekey(&options)).await;
    let done = match prepared {
        Ok(prepared) => {
            let rekey = move |store: &mut Store| store.rekey_as_prepared(&prepared);
            when_no_refresh_is_in_flight(store, LONGEST, rekey).await
        }
        Err(error) => Err(error.into()),
    };
    store.run(|store| audited(store, Action::Rekey, done)).await
}

/// Replaces all credentials by those of a backup, as [`Store::restore`](crate::store::Store::restore), once no refresh is in
/// flight.
///
/// # Errors
/// As [`rekey`].
pub async fn restore(
    store: &SharedStore,
    file: PathBuf,
    unlock: BackupUnlock,
) -> Result<Restored, RefreshError> {
    let restore = move |store: &mut Store| store.try_to_restore(&file, &unlock);
    let done = when_no_refresh_is_in_flight(store, LONGEST, restore).await;
    store.run(|store| audited(store, Action::Restore, done)).await
}

fn audited<T>(store: &mut Store, action: Action, done: Result<T, RefreshError>) -> Result<T, RefreshError> {
    match done {
        Err(RefreshError::Store(error)) => Ok(store.audited(action, Err(error))?),
        Err(error) => {
            let _ = store.audit_store(action, Outcome::Failed(error.code()));
            Err(error)
        }
        done => done,
    }
}

/// Runs `change`, which the store refuses while a refresh is in flight: that one is waited for, and then it is tried again.
async fn when_no_refresh_is_in_flight<T: Send + 'static>(
    store: &SharedStore,
    limit: Duration,
    change: impl Fn(&mut Store) -> Result<T, StoreError> + Send + Sync + 'static,
) -> Result<T, RefreshError> {
    let (begin, change) = (Instant::now(), Arc::new(change));
    loop {
        let change = change.clone();
        match store.run(move |store| change(store)).await {
            Err(StoreError::RefreshInFlight { address }) => {
                wait_for_attempt(store, *address, limit.saturating_sub(begin.elapsed())).await?;
            }
            done => return Ok(done?),
        }
    }
}

/// Waits until an attempt has ended. If its holder has died, marks the outcome as unknown.
async fn wait_for_attempt(
    store: &SharedStore,
    address: Address,
    limit: Duration,
) -> Result<(), RefreshError> {
    let lock = RefreshLock::acquire(store, &address, limit).await?;
    let end = move |store: &mut Store| match lock {
        Some(_lock) => Ok(store.end_interrupted_attempt(&address)?),
        None => Err(busy(store, &address)),
    };
    store.run(end).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{
        credential::{Credential, Metadata},
        store::AttemptState,
    };

    fn store_with_an_attempt() -> (SharedStore, Address) {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let record = store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored");
        store.begin_attempt(&address, record.version, "somebody", false).expect("begun");
        (SharedStore::new(store), address)
    }

    /// A change that the store refuses while a refresh is in flight.
    fn change(
        tries: &Arc<AtomicU32>,
    ) -> impl Fn(&mut Store) -> Result<(), StoreError> + Send + Sync + 'static {
        let tries = tries.clone();
        move |store| {
            tries.fetch_add(1, Ordering::Relaxed);
            match store.attempts()?.into_iter().find(|(_, known)| known.state == AttemptState::InFlight) {
                Some((address, _)) => Err(StoreError::RefreshInFlight { address: Box::new(address) }),
                None => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn attempt_that_does_not_end_is_waited_for_no_longer_than_the_limit() {
        let (store, address) = store_with_an_attempt();
        let lock = RefreshLock::acquire(&store, &address, LONGEST).await.expect("waited");
        let tries = Arc::default();
        let error = when_no_refresh_is_in_flight(&store, Duration::ZERO, change(&tries)).await;
        let error = error.expect_err("in flight");
        assert!(matches!(error, RefreshError::Busy { .. }), "{error:?}");
        assert!(error.to_string().contains("somebody"), "{error}");
        drop(lock);
        when_no_refresh_is_in_flight(&store, LONGEST, change(&tries)).await.expect("nobody holds the lock");
        let known = store.lock().attempt(&address).expect("read").expect("recorded");
        assert_eq!(known.state, AttemptState::Unknown);
        assert_eq!(tries.load(Ordering::Relaxed), 3);
    }
}
