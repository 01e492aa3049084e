//! Watches the login's files for a credential that is complete and does not change any more.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{
    blocking,
    provider::CaptureEntry,
    vendor_files::{self, Captured, Choice},
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
            let (files, map) = (self.files.to_owned(), self.map.to_owned());
            let read =
                blocking::run(move || vendor_files::read(files.as_path(), &map, &Choice::any_provider()))
                    .await;
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
