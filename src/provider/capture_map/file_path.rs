//! The path of a vendor file, relative to the login's directory.

use super::error::CaptureMapError;
use crate::redact::escape;

/// A relative path without `.`, `..` or empty segments.
#[derive(Clone)]
pub(crate) struct FilePath<'a> {
    /// The directories above the file, outermost first.
    pub(crate) parents: Vec<&'a str>,
    /// The file's own name.
    pub(crate) name: &'a str,
    /// The whole path, escaped for messages.
    pub(crate) display: String,
}

impl<'a> FilePath<'a> {
    /// Splits the path of a file that a descriptor names.
    pub(crate) fn parse(file: &'a str) -> Result<Self, CaptureMapError> {
        let mut parents: Vec<&str> = file.split('/').collect();
        let is_plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('\0');
        match parents.iter().all(is_plain).then(|| parents.pop()).flatten() {
            Some(name) => Ok(Self { parents, name, display: escape(file.as_bytes()) }),
            None => Err(CaptureMapError::new(file, "`file` must be a relative path without `.` and `..`")),
        }
    }

    /// Path of the parent directory at `depth` (0 is the outermost), escaped for messages.
    pub(crate) fn display_parent(&self, depth: usize) -> String {
        escape(self.parents[..=depth].join("/").as_bytes())
    }
}
