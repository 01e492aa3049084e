//! Work that blocks, away from the threads of an asynchronous program.

use std::{future::pending, panic::resume_unwind};

use tokio::task::spawn_blocking;

/// Runs `work` on a thread where blocking is allowed.
///
/// # Panics
/// Passes on a panic of `work`.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down, and drops us, too.
            Err(_cancelled) => pending().await,
        },
    }
}
