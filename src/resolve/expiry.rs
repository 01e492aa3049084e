//! Credentials that should be renewed before they are used.

use jiff::{SignedDuration, Timestamp};

use super::request::{Resolved, Skipped};
use crate::{
    Error,
    config::Paths,
    credential::{Address, Kind, Record},
    provider::Registry,
    refresh,
    store::CachedKey,
};

/// A stored credential that expires within the margin ([`refresh_margin`]), or has expired, and can perhaps be renewed: it
/// has a refresh token, or its provider's strategy is `command`. Nobody has tried yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// The credential, as it is stored.
    pub record: Record,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
    pub(crate) hint: String,
    /// So that whoever renews it need not get the key of the store again.
    pub(crate) key: CachedKey,
}

impl Expiring {
    /// The credential unrenewed, as long as it has not expired.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn without_refresh(self) -> Result<Resolved, Error> {
        match self.record.metadata.expires_at.filter(|expiry| *expiry <= Timestamp::now()) {
            Some(expiry) => Err(expired(&self.record.address, expiry, self.hint)),
            None => Ok(Resolved { skipped: self.skipped, ..Resolved::stored(self.record) }),
        }
    }

    /// The credential after it was renewed.
    pub fn refreshed(self, record: Record) -> Resolved {
        Resolved { skipped: self.skipped, ..Resolved::stored(record) }
    }

    /// The command to log in again with, for hints.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// How long before its end a credential is stale: 5 minutes, or a tenth of its lifetime if that is less.
pub fn refresh_margin(updated_at: Timestamp, expires_at: Timestamp) -> SignedDuration {
    let lifetime = expires_at.duration_since(updated_at).max(SignedDuration::ZERO);
    (lifetime / 10).min(SignedDuration::from_mins(5))
}

/// Whether it is worth trying to renew it. What the vendor's own tool keeps alive is not ours to renew.
pub(crate) fn may_refresh(paths: &Paths, record: &Record) -> bool {
    // Most need no look into the descriptor.
    if record.credential.kind() != Kind::Oauth || !record.metadata.owner.is_us() {
        return false;
    }
    let registry = Registry::load_one(paths, record.address.provider.as_str());
    refresh::is_refreshable(&registry, record)
}

pub(crate) fn expired(address: &Address, expiry: Timestamp, hint: String) -> Error {
    let ago = SignedDuration::from_secs(Timestamp::now().duration_since(expiry).as_secs());
    Error::Expired { what: address.to_string(), ago: format!("{ago:#}"), hint }
}
