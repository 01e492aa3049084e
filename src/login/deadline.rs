//! The end of a login, by its time limit or by cancellation. It also holds while an engine does not answer.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{cancel::CancelToken, error::Ending};

/// The extra time for work that is hard to clean up when it is half done.
pub(super) const GRACE: Duration = Duration::from_secs(3);
/// The longest time limit: the clock cannot add arbitrary durations.
const MAX_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The end of a running login.
pub(super) struct Deadline<'a> {
    /// The token by which the login is cancelled.
    pub(super) cancel: &'a mut CancelToken,
    /// The time limit.
    pub(super) limit: Duration,
    /// The time at which the limit expires.
    pub(super) end: Instant,
}

impl<'a> Deadline<'a> {
    /// Starts a time limit.
    pub(super) fn new(limit: Duration, cancel: &'a mut CancelToken) -> Self {
        Self { cancel, limit, end: Instant::now() + limit.min(MAX_LIMIT) }
    }

    /// Runs `work` unless the login ends first.
    pub(super) async fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::select! {
            done = work => Ok(done),
            ending = self.wait() => Err(ending),
        }
    }

    /// Runs `work`, whose time does not count, unless the login is cancelled first.
    pub(super) async fn run_untimed<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        let start = Instant::now();
        let done = tokio::select! {
            done = work => Ok(done),
            () = self.cancel.cancelled() => Err(Ending::Interrupted),
        };
        self.end += start.elapsed();
        done
    }

    /// Runs `work`, and gives it some extra time when the login ends.
    pub(super) async fn run_with_grace<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::pin!(work);
        let ending = tokio::select! {
            done = &mut work => return Ok(done),
            ending = self.wait() => ending,
        };
        timeout(GRACE, work).await.map_err(|_| ending)
    }

    /// Runs `work` for `time` at most, after the login has ended. `None` if the
    /// time was not enough or the login is cancelled once more.
    pub(super) async fn run_at_most<T>(
        &mut self,
        time: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = sleep(time) => None,
            _ = self.cancel.requested() => None,
        }
    }

    async fn wait(&mut self) -> Ending {
        tokio::select! {
            () = self.cancel.cancelled() => Ending::Interrupted,
            () = sleep_until(self.end) => Ending::TimedOut(self.limit),
        }
    }
}
