//! Watches the login's files for a credential that is complete and does not change any more.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{login::cli::files::LoginFiles, vendor_files::Captured};

/// The time between two looks at the files.
const LOOK: Duration = Duration::from_millis(500);
/// The time that a credential must stay the same before a CLI that has not ended is stopped.
const STABLE: Duration = Duration::from_secs(3);

/// A watcher of the login's files.
pub(super) struct StableFiles {
    files: LoginFiles,
    tick: Interval,
    seen: Option<(Captured, Instant)>,
}

impl StableFiles {
    pub(super) fn new(files: LoginFiles) -> Self {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { files, tick, seen: None }
    }

    /// Returns when a complete credential has stayed the same for [`STABLE`]. Can be called again after it was dropped.
    pub(super) async fn complete(&mut self) {
        loop {
            self.tick.tick().await;
            let read = self.files.read().await;
            if self.is_stable(read.ok().flatten()) {
                return;
            }
        }
    }

    fn is_stable(&mut self, read: Option<Captured>) -> bool {
        match (read, &self.seen) {
            (Some(now), Some((before, since))) if now == *before => return since.elapsed() >= STABLE,
            (Some(now), _) => self.seen = Some((now, Instant::now())),
            (None, _) => self.seen = None,
        }
        false
    }
}
