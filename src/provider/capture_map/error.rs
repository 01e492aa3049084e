//! The error of an invalid capture map.

use crate::redact::escape;

/// An invalid capture map, with the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid capture map of {file}: {problem}")]
pub struct CaptureMapError {
    /// The vendor file of the entry, escaped for a terminal.
    pub file: String,
    /// The part of the map and the rule that it breaks.
    pub problem: String,
}

impl CaptureMapError {
    /// An error of the entry for `file`, which is escaped here.
    pub(crate) fn new(file: &str, problem: impl Into<String>) -> Self {
        Self { file: escape(file.as_bytes()), problem: problem.into() }
    }
}
