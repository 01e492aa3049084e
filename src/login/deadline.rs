//! How long a login may go on: to its time limit, or until somebody wants out of it. An engine that is silent holds up
//! nobody.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{
    cancel::{Asked, Interrupt},
    error::Ending,
};

/// What is half done in an engine is hard to clean up, so it may take this much longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longer than anybody waits.
const EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The end of a login that is to come.
pub(super) struct Until<'a> {
    /// Who may want out.
    pub(super) interrupt: &'a mut Interrupt,
    /// The time limit, as it was said.
    pub(super) limit: Duration,
    /// When that is reached.
    pub(super) deadline: Instant,
}

impl<'a> Until<'a> {
    pub(super) fn new(limit: Duration, interrupt: &'a mut Interrupt) -> Self {
        Self { interrupt, limit, deadline: Instant::now() + limit.min(EVER) }
    }

    /// Does something, unless the login is over first.
    pub(super) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::select! {
            done = work => Ok(done),
            ending = self.over() => Err(ending),
        }
    }

    /// Does something whose time does not count.
    pub(super) async fn untimed<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        let began = Instant::now();
        let done = tokio::select! {
            done = work => Ok(done),
            () = wants_out(self.interrupt) => Err(Ending::Interrupted),
        };
        self.deadline += began.elapsed();
        done
    }

    /// Does something that had better not be left half done.
    pub(super) async fn patiently<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::pin!(work);
        let ending = tokio::select! {
            done = &mut work => return Ok(done),
            ending = self.over() => ending,
        };
        timeout(PATIENCE, work).await.map_err(|_| ending)
    }

    /// Does something when the login is over anyway. Whoever wants out then waits for nothing more.
    pub(super) async fn at_most<T>(&mut self, time: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = sleep(time) => None,
            _ = self.interrupt.asked() => None,
        }
    }

    /// How the login is over already, if it is.
    pub(super) fn is_over(&self) -> Option<Ending> {
        if self.interrupt.so_far() != Asked::Nothing {
            return Some(Ending::Interrupted);
        }
        (Instant::now() >= self.deadline).then_some(Ending::TimedOut(self.limit))
    }

    async fn over(&mut self) -> Ending {
        tokio::select! {
            () = wants_out(self.interrupt) => Ending::Interrupted,
            () = sleep_until(self.deadline) => Ending::TimedOut(self.limit),
        }
    }
}

async fn wants_out(interrupt: &mut Interrupt) {
    while interrupt.asked().await == Asked::Nothing {}
}
