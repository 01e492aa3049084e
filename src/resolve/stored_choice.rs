//! The choice among stored credentials.

use std::path::PathBuf;

use super::{
    ResolveError,
    request::{Resolved, Skipped},
};
use crate::credential::Record;

/// A stored credential that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChoice {
    /// The credential, as it is stored.
    pub record: Record,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
}

impl StoredChoice {
    /// The stored credential, if it has not expired.
    ///
    /// # Errors
    /// [`ResolveError::Expired`]
    pub fn without_refresh(self) -> Result<Resolved, ResolveError> {
        match self.record.metadata.expires_at.filter(|end| *end <= crate::clock::now()) {
            Some(_) => Err(expired(&self.record, None)),
            None => Ok(Resolved { skipped: self.skipped, ..Resolved::stored(self.record) }),
        }
    }

    /// The refreshed credential.
    pub fn refreshed(self, record: Record) -> Resolved {
        Resolved { skipped: self.skipped, ..Resolved::stored(record) }
    }
}

pub(super) fn expired(record: &Record, move_source: Option<PathBuf>) -> ResolveError {
    ResolveError::Expired {
        address: Box::new(record.address.clone()),
        since: record.metadata.expires_at.unwrap_or_else(crate::clock::now),
        owner: record.metadata.owner,
        move_source,
    }
}
