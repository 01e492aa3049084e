//! Changes to the whole store, which wait for refreshes in flight: after the change, a vendor's answer could not be stored.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{
    LONGEST, RefreshError,
    lock::{Acquired, RefreshLock},
    mark_interrupted,
};
use crate::{
    credential::Address,
    store::{Action, AttemptState, BackupUnlock, Outcome, Rekey, Restored, SharedStore, StoreError},
};

/// Gives a store another key, as [`Store::rekey`](crate::store::Store::rekey), once no refresh is in flight.
///
/// # Errors
/// [`RefreshError::Busy`] if a refresh takes longer than its limit; [`RefreshError::Store`].
pub async fn rekey(store: &SharedStore, options: &Rekey) -> Result<(), RefreshError> {
    // A passphrase is asked for once, however often the change is tried.
    let prepared = store.lock().prepare_rekey(options);
    let done = match prepared {
        Ok(prepared) => {
            when_no_refresh_is_in_flight(store, LONGEST, || store.lock().rekey_as_prepared(&prepared)).await
        }
        Err(error) => Err(error.into()),
    };
    audited(store, Action::Rekey, done)
}

/// Replaces all credentials by those of a backup, as [`Store::restore`](crate::store::Store::restore), once no refresh is in
/// flight.
///
/// # Errors
/// As [`rekey`].
pub async fn restore(
    store: &SharedStore,
    file: &Path,
    unlock: &BackupUnlock,
) -> Result<Restored, RefreshError> {
    let done =
        when_no_refresh_is_in_flight(store, LONGEST, || store.lock().try_to_restore(file, unlock)).await;
    audited(store, Action::Restore, done)
}

fn audited<T>(store: &SharedStore, action: Action, done: Result<T, RefreshError>) -> Result<T, RefreshError> {
    match done {
        Err(RefreshError::Store(error)) => Ok(store.lock().audited(action, Err(error))?),
        Err(error) => {
            let _ = store.lock().audit_store(action, Outcome::Failed(error.code()));
            Err(error)
        }
        done => done,
    }
}

/// Runs `change` once no refresh is in flight. If one starts in between, the store refuses and we wait again.
async fn when_no_refresh_is_in_flight<T>(
    store: &SharedStore,
    limit: Duration,
    mut change: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, RefreshError> {
    let begin = Instant::now();
    loop {
        let sent =
            store.lock().attempts()?.into_iter().filter(|(_, known)| known.state == AttemptState::InFlight);
        let mut locks = Vec::new();
        for (address, _) in sent {
            locks.extend(wait_for_attempt(store, &address, limit.saturating_sub(begin.elapsed())).await?);
        }
        match change() {
            Err(StoreError::RefreshInFlight { .. }) if begin.elapsed() < limit => {}
            done => return Ok(done?),
        }
    }
}

/// Waits until an attempt has ended. If its holder has died, returns the refresh lock and marks the outcome as unknown.
async fn wait_for_attempt(
    store: &SharedStore,
    address: &Address,
    limit: Duration,
) -> Result<Option<RefreshLock>, RefreshError> {
    let sent = || {
        let known = store.lock().attempt(address)?;
        Ok::<_, StoreError>(known.filter(|known| known.state == AttemptState::InFlight))
    };
    let is_over = || Ok::<_, RefreshError>(sent()?.is_none().then_some(()));
    match RefreshLock::acquire(store, address, limit, is_over).await? {
        Acquired::Held(lock) => {
            if let Some(sent) = sent()? {
                mark_interrupted(&mut store.lock(), address, sent)?;
            }
            Ok(Some(lock))
        }
        Acquired::Done(()) => Ok(None),
        Acquired::TimedOut => {
            let holder = sent()?.map(|sent| sent.holder);
            Err(RefreshError::Busy { address: Box::new(address.clone()), holder })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        credential::{Credential, Metadata},
        store::Store,
    };

    fn store_with_an_attempt() -> (SharedStore, Address) {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let record = store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored");
        store.begin_attempt(&address, record.version, "somebody", false).expect("begun");
        (SharedStore::new(store), address)
    }

    #[tokio::test]
    async fn attempt_that_does_not_end_is_waited_for_no_longer_than_the_limit() {
        let (store, address) = store_with_an_attempt();
        let never = || Ok::<_, RefreshError>(None::<()>);
        let lock = RefreshLock::acquire(&store, &address, LONGEST, never).await.expect("waited");
        let error = when_no_refresh_is_in_flight(&store, Duration::ZERO, || Ok(())).await;
        let error = error.expect_err("in flight");
        assert!(matches!(error, RefreshError::Busy { .. }), "{error:?}");
        assert!(error.to_string().contains("somebody"), "{error}");
        drop(lock);
        when_no_refresh_is_in_flight(&store, Duration::ZERO, || Ok(())).await.expect("nobody holds the lock");
        let known = store.lock().attempt(&address).expect("read").expect("recorded");
        assert_eq!(known.state, AttemptState::Unknown);
    }

    #[tokio::test]
    async fn attempt_that_starts_meanwhile_is_waited_for() {
        let (store, address) = store_with_an_attempt();
        let mut tries = 0;
        let change = || {
            tries += 1;
            match tries {
                1 => Err(StoreError::RefreshInFlight { address: Box::new(address.clone()) }),
                _ => Ok(()),
            }
        };
        when_no_refresh_is_in_flight(&store, LONGEST, change).await.expect("done");
        assert_eq!(tries, 2);
    }
}
