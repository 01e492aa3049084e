//! Storing what is nowhere else.

use std::time::{Duration, Instant};

use super::StoreError;

/// How long a store is tried that cannot be written now: what a vendor has just given is nowhere else.
pub(crate) const RETRY_LIMIT: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(500);

/// Tries until it works, or until it is clear that it does not. Why that takes long is told once.
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
