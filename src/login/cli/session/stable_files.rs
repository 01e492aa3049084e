//! Watches the login's files for a credential that is complete and does not change any more.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{
    provider::CaptureEntry,
    vendor_files::{self, Captured},
};

/// The time between two looks at the files.
const LOOK: Duration = Duration::from_millis(500);
/// The time that a credential must stay the same before a CLI that has not ended is stopped.
const STABLE: Duration = Duration::from_secs(3);

/// A watcher of the login's files.
pub(super) struct StableFiles<'a> {
    files: &'a Path,
    map: &'a [CaptureEntry],
    tick: Interval,
    seen: Option<(Captured, Instant)>,
}

impl<'a> StableFiles<'a> {
    pub(super) fn new(files: &'a Path, map: &'a [CaptureEntry]) -> Self {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { files, map, tick, seen: None }
    }

    /// Returns when a complete credential has stayed the same for [`STABLE`]. Can be called again after it was dropped.
    pub(super) async fn complete(&mut self) {
        loop {
            self.tick.tick().await;
            if self.is_stable() {
                return;
            }
        }
    }

    fn is_stable(&mut self) -> bool {
        match (vendor_files::read(self.files, self.map).ok().flatten(), &self.seen) {
            (Some(now), Some((before, since))) if now == *before => return since.elapsed() >= STABLE,
            (Some(now), _) => self.seen = Some((now, Instant::now())),
            (None, _) => self.seen = None,
        }
        false
    }
}
