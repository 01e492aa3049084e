//! Rules for the capture map.

use crate::{
    config::yaml::Findings,
    provider::capture_map::{CaptureEntry, PartMap},
};

/// Finds every broken rule of an entry.
pub(super) fn lint(entry: &CaptureEntry) -> Findings {
    let mut findings = Findings::default();
    PartMap::compile_all(entry, |place, problem| findings.add(place, problem));
    findings
}
