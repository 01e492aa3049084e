//! How long a login may go on: to its time limit, or until somebody wants out of it. An engine that is silent holds up
//! nobody.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{
    cancel::{CancelRequest, CancelToken},
    error::Ending,
};

/// What is half done in an engine is hard to clean up, so it may take this much longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longer than anybody waits.
const EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The end of a login that is to come.
pub(super) struct Deadline<'a> {
    /// Who may want out.
    pub(super) interrupt: &'a mut CancelToken,
    /// The time limit, as it was said.
    pub(super) limit: Duration,
    /// When that is reached.
    pub(super) end: Instant,
}

impl<'a> Deadline<'a> {
    pub(super) fn new(limit: Duration, interrupt: &'a mut CancelToken) -> Self {
        Self { interrupt, limit, end: Instant::now() + limit.min(EVER) }
    }

    /// Does something, unless the login is over first.
    pub(super) async fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::select! {
            done = work => Ok(done),
            ending = self.wait() => Err(ending),
        }
    }

    /// Does something whose time does not count.
    pub(super) async fn run_untimed<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        let began = Instant::now();
        let done = tokio::select! {
            done = work => Ok(done),
            () = cancel_requested(self.interrupt) => Err(Ending::Interrupted),
        };
        self.end += began.elapsed();
        done
    }

    /// Does something that had better not be left half done.
    pub(super) async fn run_with_grace<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::pin!(work);
        let ending = tokio::select! {
            done = &mut work => return Ok(done),
            ending = self.wait() => ending,
        };
        timeout(PATIENCE, work).await.map_err(|_| ending)
    }

    /// Does something when the login is over anyway. Whoever wants out then waits for nothing more.
    pub(super) async fn run_at_most<T>(
        &mut self,
        time: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = sleep(time) => None,
            _ = self.interrupt.requested() => None,
        }
    }

    /// How the login is over already, if it is.
    pub(super) fn expired(&self) -> Option<Ending> {
        if self.interrupt.so_far() != CancelRequest::Nothing {
            return Some(Ending::Interrupted);
        }
        (Instant::now() >= self.end).then_some(Ending::TimedOut(self.limit))
    }

    async fn wait(&mut self) -> Ending {
        tokio::select! {
            () = cancel_requested(self.interrupt) => Ending::Interrupted,
            () = sleep_until(self.end) => Ending::TimedOut(self.limit),
        }
    }
}

async fn cancel_requested(interrupt: &mut CancelToken) {
    while interrupt.requested().await == CancelRequest::Nothing {}
}
