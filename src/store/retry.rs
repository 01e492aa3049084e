//! Retrying to store what exists nowhere else.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{SharedStore, Store, StoreError};

/// The time for which storing is retried. It is long, because tokens that a vendor has just issued exist nowhere else.
pub(crate) const RETRY_LIMIT: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(500);

/// Retries while the failure is transient, for at most [`RETRY_LIMIT`], and until `give_up` is ready after a failure.
/// Reports the first failure to `tell`.
pub(crate) async fn retry_until_writable<T: Send + 'static>(
    store: &SharedStore,
    attempt: impl Fn(&mut Store) -> Result<T, StoreError> + Send + Sync + 'static,
    tell: impl FnOnce(&StoreError),
    give_up: impl Future<Output = ()>,
) -> Result<T, StoreError> {
    let (attempt, mut give_up) = (Arc::new(attempt), pin!(give_up));
    let (begin, mut tell) = (Instant::now(), Some(tell));
    loop {
        let attempt = attempt.clone();
        match store.run(move |store| attempt(store)).await {
            Err(error) if error.is_transient() && begin.elapsed() < RETRY_LIMIT => {
                if let Some(tell) = tell.take() {
                    tell(&error);
                }
                tokio::select! {
                    () = &mut give_up => return Err(error),
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            done => return done,
        }
    }
}
