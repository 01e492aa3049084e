//! Where a vendor's file is in its directory.

use super::{directory::Directory, error::CaptureError, names::escape};

/// A relative path without `.`, `..` or empty parts.
pub(super) struct Location<'a> {
    /// The directories above the file.
    pub(super) parents: Vec<&'a str>,
    /// The file's own name.
    pub(super) name: &'a str,
    /// The whole, for messages.
    pub(super) shown: String,
}

impl<'a> Location<'a> {
    pub(super) fn of(file: &'a str) -> Result<Self, CaptureError> {
        let shown = escape(file.as_bytes());
        let mut parents: Vec<&str> = file.split('/').collect();
        let plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('\0');
        match parents.iter().all(plain).then(|| parents.pop()).flatten() {
            Some(name) => Ok(Self { parents, name, shown }),
            None => Err(CaptureError::Map {
                file: shown,
                problem: "`file` must be a relative path without `.` and `..`".to_owned(),
            }),
        }
    }

    /// The directory that the file is in, if there is one.
    pub(super) fn parent(&self, root: &Directory) -> Result<Option<Directory>, CaptureError> {
        let mut parent = root.again(&self.shown)?;
        for (depth, name) in self.parents.iter().enumerate() {
            match parent.descend(*name, &self.shown_parent(depth))? {
                Some(next) => parent = next,
                None => return Ok(None),
            }
        }
        Ok(Some(parent))
    }

    /// The name of the parent at that depth, for messages.
    pub(super) fn shown_parent(&self, depth: usize) -> String {
        escape(self.parents[..=depth].join("/").as_bytes())
    }
}
