//! What is done with the store as a whole: not while a token is under way, for the answer that the vendor gives to it could then not
//! be stored.

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
    Error,
    config::Paths,
    credential::Address,
    store::{Action, AttemptState, BackupUnlock, Outcome, Rekey, Restored, SharedStore, StoreError},
};

/// Gives a store another key, as [`Store::rekey`](crate::store::Store::rekey), after the renewals that are under way.
///
/// # Errors
/// [`Error::Refresh`] when one goes on for longer than any should, and [`Error::Store`].
pub async fn rekey(paths: &Paths, store: &SharedStore, how: &Rekey) -> Result<(), Error> {
    // What has to be asked for is asked for once.
    let prepared = store.lock().prepare_rekey(how);
    let done = match prepared {
        Ok(prepared) => {
            when_no_refresh_is_in_flight(paths, store, LONGEST, || store.lock().rekey_as_prepared(&prepared))
                .await
        }
        Err(error) => Err(error.into()),
    };
    audited(store, Action::Rekey, done)
}

/// Replaces all credentials by those of a backup, as [`Store::restore`](crate::store::Store::restore), after the renewals that are
/// under way.
///
/// # Errors
/// As [`rekey`].
pub async fn restore(
    paths: &Paths,
    store: &SharedStore,
    file: &Path,
    unlock: &BackupUnlock,
) -> Result<Restored, Error> {
    let done =
        when_no_refresh_is_in_flight(paths, store, LONGEST, || store.lock().try_to_restore(file, unlock))
            .await;
    audited(store, Action::Restore, done)
}

fn audited<T>(store: &SharedStore, action: Action, done: Result<T, Error>) -> Result<T, Error> {
    match done {
        Err(Error::Store(error)) => Ok(store.lock().audited(action, Err(error))?),
        Err(error) => {
            let _ = store.lock().audit_store(action, Outcome::Failed(error.code()));
            Err(error)
        }
        done => done,
    }
}

/// Does it when no exchange is under way, which the store sees for itself: then one that has begun meanwhile is waited for, too.
async fn when_no_refresh_is_in_flight<T>(
    paths: &Paths,
    store: &SharedStore,
    patience: Duration,
    mut change: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, Error> {
    let begin = Instant::now();
    loop {
        let sent =
            store.lock().attempts()?.into_iter().filter(|(_, known)| known.state == AttemptState::InFlight);
        let mut turns = Vec::new();
        for (address, _) in sent {
            turns.extend(
                wait_for_attempt(paths, store, &address, patience.saturating_sub(begin.elapsed())).await?,
            );
        }
        match change() {
            Err(StoreError::RefreshInFlight { .. }) if begin.elapsed() < patience => {}
            done => return Ok(done?),
        }
    }
}

/// Waits until an exchange is over. Of one whose holder has died the turn is ours then, and nobody knows what became of it.
async fn wait_for_attempt(
    paths: &Paths,
    store: &SharedStore,
    address: &Address,
    patience: Duration,
) -> Result<Option<RefreshLock>, RefreshError> {
    let sent = || {
        let known = store.lock().attempt(address)?;
        Ok::<_, StoreError>(known.filter(|known| known.state == AttemptState::InFlight))
    };
    let is_over = || Ok::<_, RefreshError>(sent()?.is_none().then_some(()));
    match RefreshLock::acquire(paths, Some(store), address, patience, is_over).await? {
        Acquired::Held(turn) => {
            if let Some(sent) = sent()? {
                mark_interrupted(&mut store.lock(), address, sent)?;
            }
            Ok(Some(turn))
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
        exit,
        store::Store,
    };

    fn sent() -> (Paths, SharedStore, Address) {
        let mut store = Store::in_memory().expect("a store");
        let address = Address::default_profile("acme".parse().expect("a name"));
        let record = store.put(&address, &Credential::api_key("one"), &Metadata::default()).expect("stored");
        store.begin_attempt(&address, record.version, "somebody", false).expect("begun");
        (Paths::new("/nonexistent/config", "/nonexistent/data"), SharedStore::new(store), address)
    }

    #[tokio::test]
    async fn an_exchange_that_does_not_end_is_waited_for_no_longer_than_that() {
        let (paths, store, address) = sent();
        let never = || Ok::<_, RefreshError>(None::<()>);
        let turn =
            RefreshLock::acquire(&paths, Some(&store), &address, LONGEST, never).await.expect("waited");
        let error = when_no_refresh_is_in_flight(&paths, &store, Duration::ZERO, || Ok(()))
            .await
            .expect_err("under way");
        assert_eq!(error.exit_code(), exit::BUSY);
        assert!(error.to_string().contains("somebody"), "{error}");
        drop(turn);
        when_no_refresh_is_in_flight(&paths, &store, Duration::ZERO, || Ok(()))
            .await
            .expect("nobody has the turn");
        let known = store.lock().attempt(&address).expect("read").expect("recorded");
        assert_eq!(known.state, AttemptState::Unknown);
    }

    #[tokio::test]
    async fn one_that_has_begun_meanwhile_is_waited_for_too() {
        let (paths, store, address) = sent();
        let mut tries = 0;
        let change = || {
            tries += 1;
            match tries {
                1 => Err(StoreError::RefreshInFlight { address: Box::new(address.clone()) }),
                _ => Ok(()),
            }
        };
        when_no_refresh_is_in_flight(&paths, &store, LONGEST, change).await.expect("done");
        assert_eq!(tries, 2);
    }
}
