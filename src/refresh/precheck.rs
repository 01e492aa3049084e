//! Checks of the store before a refresh token is sent.

use std::sync::Arc;

use jiff::Timestamp;

use super::{RefreshError, is_due};
use crate::{
    credential::{Address, Credential, Metadata, OAuth, Record},
    store::{AttemptState, Backoff, BeginOutcome, RefreshAttempt, SharedStore, Store, StoreError},
};

/// A request to refresh a credential.
pub(super) struct Asked {
    /// The credential as the caller knows it.
    pub(super) seen: Record,
    /// Whether to refresh even if it is not due, and whatever is known of its refresh token.
    pub(super) force: bool,
    /// The time of the request. The failure of an attempt that ends after it is shared, however long the store takes to open.
    pub(super) at: Timestamp,
    /// Whether the vendor consumes a refresh token. A grant that is repeated consumes none, so it is never in doubt.
    pub(super) consumes_token: bool,
}

impl Asked {
    /// Runs a check on a thread where blocking is allowed.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        store: &SharedStore,
        check: fn(&Self, &mut Store) -> T,
    ) -> T {
        let asked = self.clone();
        store.run(move |store| check(&asked, store)).await
    }

    /// Refuses a refresh that would fail as the last one did, unless it is forced.
    pub(super) fn check(&self, store: &mut Store) -> Result<(), RefreshError> {
        if self.force {
            return Ok(());
        }
        self.check_known_failure(store)?;
        self.check_backoff(store)
    }

    /// Refuses a refresh token that the vendor has rejected, or whose last use has an unknown outcome.
    fn check_known_failure(&self, store: &Store) -> Result<(), RefreshError> {
        match store.attempt(&self.seen.address)? {
            Some(attempt)
                if attempt.version == self.seen.version && attempt.state != AttemptState::InFlight =>
            {
                Err(known_failure(&self.seen, attempt))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to ask a vendor again that was asked in vain while we waited, or that has named a later time.
    fn check_backoff(&self, store: &Store) -> Result<(), RefreshError> {
        let Some(Backoff { at, until, why, .. }) = store.backoff(&self.seen.address)? else {
            return Ok(());
        };
        let now = crate::clock::now();
        // An entry from the future, after the clock was set back, does not count.
        if at <= now && (at > self.at || until > now) {
            let until = (until > now).then_some(until);
            let address = Box::new(self.seen.address.clone());
            return Err(RefreshError::BackingOff { address, until, why });
        }
        Ok(())
    }

    /// The stored credential, if there is nothing left to do: it has changed, or is not due.
    pub(super) fn is_done(&self, store: &mut Store) -> Result<Option<Record>, RefreshError> {
        let now = self.stored(store)?;
        if now.version != self.seen.version
            && set_aside(&now).is_some()
            && let Some(attempt) = store.attempt(&now.address)?
        {
            // Whoever held the lock got tokens that do not fit.
            return Err(known_failure(&now, attempt));
        }
        if now.version != self.seen.version || !self.force && !is_due(&now, crate::clock::now()) {
            return Ok(Some(now));
        }
        match self.force {
            true => Ok(None),
            false => self.check_backoff(store).map(|()| None),
        }
    }

    /// Records that the refresh token is about to be sent.
    pub(super) fn begin(&self, store: &mut Store) -> Result<BeginOutcome, StoreError> {
        let address = &self.seen.address;
        if self.consumes_token {
            return store.begin_attempt(address, self.seen.version, &holder(), self.force);
        }
        store.prepare_change()?;
        // A rejection while we waited is the answer to us, too.
        let rejected = |known: &RefreshAttempt| !self.force && known.state == AttemptState::Rejected;
        let known = store.attempt(address)?.filter(rejected);
        Ok(known.map_or(BeginOutcome::Started(None), BeginOutcome::AlreadyRecorded))
    }

    /// The stored credential.
    pub(super) fn stored(&self, store: &mut Store) -> Result<Record, RefreshError> {
        store.get(&self.seen.address)?.ok_or_else(|| removed(&self.seen))
    }
}

/// The error for a refresh lock that another holder keeps.
pub(super) fn busy(store: &Store, address: &Address) -> RefreshError {
    let attempt = store.attempt(address);
    let holder = attempt.ok().flatten().map(|attempt| attempt.holder);
    RefreshError::Busy { address: Box::new(address.clone()), holder }
}

/// The error of an earlier attempt.
pub(super) fn known_failure(seen: &Record, attempt: RefreshAttempt) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let (why, is_by_restore) = (attempt.why.clone().unwrap_or_default(), attempt.is_by_restore());
    match attempt.state {
        _ if !is_by_restore && set_aside(seen).is_some() => RefreshError::SetAside { address, why },
        AttemptState::Rejected => RefreshError::Refused { address, why },
        AttemptState::Unknown | AttemptState::InFlight => {
            RefreshError::OutcomeUnknown { address, since: attempt.since, why }
        }
    }
}

pub(super) fn removed(seen: &Record) -> RefreshError {
    RefreshError::Gone { address: Box::new(seen.address.clone()) }
}

/// The tokens that were set aside for a credential.
pub(super) fn set_aside(seen: &Record) -> Option<(OAuth, Metadata)> {
    match &seen.credential {
        Credential::OAuth(tokens) => tokens.set_aside(),
        _ => None,
    }
}

/// This process, for people.
pub(super) fn holder() -> String {
    format!("process {}", std::process::id())
}
