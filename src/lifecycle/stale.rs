//! Credentials that should be renewed before they are used.

use jiff::{SignedDuration, Timestamp};

use super::request::{Resolved, Skipped};
use crate::{
    Error,
    credential::{Credential, Record},
    login::again::asks_nobody,
    name::Address,
    oauth::Origin,
    paths::Paths,
    provider::{Registry, descriptor::RefreshStrategy},
    store::HeldKey,
};

/// A stored credential that expires within the margin ([`margin`]), or has expired, and can perhaps be renewed: it
/// has a refresh token, or its provider's strategy is `command`. Nobody has tried yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The credential, as it is stored.
    pub record: Record,
    /// The profiles of the project's order that were passed over.
    pub skipped: Vec<Skipped>,
    pub(super) hint: String,
    /// So that whoever renews it need not get the key of the store again.
    pub(super) key: HeldKey,
}

impl Stale {
    /// The credential unrenewed, as long as it has not expired.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn as_it_is(self) -> Result<Resolved, Error> {
        match self.record.metadata.expires_at.filter(|expiry| *expiry <= Timestamp::now()) {
            Some(expiry) => Err(expired(&self.record.address, expiry, self.hint)),
            None => Ok(Resolved { skipped: self.skipped, ..Resolved::stored(self.record) }),
        }
    }

    /// The credential after it was renewed.
    pub fn renewed(self, record: Record) -> Resolved {
        Resolved { skipped: self.skipped, ..Resolved::stored(record) }
    }

    /// The command to log in again with, for hints.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// How long before its end a credential is stale: 5 minutes, or a tenth of its lifetime if that is less.
pub fn margin(updated_at: Timestamp, expires_at: Timestamp) -> SignedDuration {
    let lifetime = expires_at.duration_since(updated_at).max(SignedDuration::ZERO);
    (lifetime / 10).min(SignedDuration::from_mins(5))
}

/// Whether it is worth trying to renew it. What the vendor's own tool keeps alive is not ours to renew. The descriptor is read only where the credential itself does not say.
pub(super) fn is_renewable(paths: &Paths, record: &Record) -> bool {
    let Credential::OAuth(oauth) = &record.credential else { return false };
    if !record.metadata.owner.is_us() {
        return false;
    }
    if oauth.refresh_token.is_some() || Origin::of(oauth).is_some_and(|origin| asks_nobody(origin.mode)) {
        return true;
    }
    let provider = record.address.provider.as_str();
    let registry = Registry::load_for(Some(&paths.providers()), provider);
    let refresh = registry.get(provider).ok().and_then(|known| known.refresh.as_ref());
    refresh.is_some_and(|refresh| refresh.strategy == RefreshStrategy::Command)
}

pub(super) fn expired(address: &Address, expiry: Timestamp, hint: String) -> Error {
    let ago = SignedDuration::from_secs(Timestamp::now().duration_since(expiry).as_secs());
    Error::Expired { what: address.to_string(), ago: format!("{ago:#}"), hint }
}
