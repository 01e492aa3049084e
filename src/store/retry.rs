//! Retrying to store what exists nowhere else.

use std::time::{Duration, Instant};

use super::StoreError;

/// The time for which storing is retried. It is long, because tokens that a vendor has just issued exist nowhere else.
pub(crate) const RETRY_LIMIT: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(500);

/// Retries while the failure is transient, for at most [`RETRY_LIMIT`]. Reports the first failure to `tell`.
pub(crate) async fn retry_until_writable<T>(
    mut attempt: impl FnMut() -> Result<T, StoreError>,
    tell: impl FnOnce(&StoreError),
) -> Result<T, StoreError> {
    let (begin, mut tell) = (Instant::now(), Some(tell));
    loop {
        match attempt() {
            Err(error) if error.is_transient() && begin.elapsed() < RETRY_LIMIT => {
                if let Some(tell) = tell.take() {
                    tell(&error);
                }
            }
            done => return done,
        }
        tokio::time::sleep(PAUSE).await;
    }
}
