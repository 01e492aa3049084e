//! The error of a capture map that cannot be used.

use crate::redact::escape;

/// A capture map that cannot be used, and why.
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
