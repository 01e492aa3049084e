//! Checks of the store before a refresh token is sent.

use jiff::Timestamp;

use super::{RefreshError, is_due};
use crate::{
    credential::{Address, Record},
    store::{AttemptState, Backoff, BeginOutcome, RefreshAttempt, SharedStore, Store, StoreError},
};

/// The stored credential, if it is no longer due.
pub(super) fn already_refreshed(
    store: &SharedStore,
    seen: &Record,
    force: bool,
) -> Result<Option<Record>, RefreshError> {
    let now = store.lock().get(&seen.address)?.ok_or_else(|| removed(seen))?;
    let is_other = now.version != seen.version;
    Ok((is_other || !force && !is_due(&now, Timestamp::now())).then_some(now))
}

/// Refuses a refresh token that the vendor has rejected, or whose last use has an unknown outcome.
pub(super) fn check_known_failure(store: &SharedStore, seen: &Record) -> Result<(), RefreshError> {
    match store.lock().attempt(&seen.address)? {
        Some(attempt) if attempt.version == seen.version && attempt.state != AttemptState::InFlight => {
            Err(known_failure(seen, attempt))
        }
        _ => Ok(()),
    }
}

/// Refuses to ask a vendor that was asked while we waited, or has named a later time.
pub(super) fn check_backoff(
    store: &SharedStore,
    seen: &Record,
    asked: Timestamp,
) -> Result<(), RefreshError> {
    let Some(Backoff { at, until, why, .. }) = store.lock().backoff(&seen.address)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    // An entry from the future, after the clock was set back, does not count.
    if at <= now && (at > asked || until > now) {
        let until = (until > now).then_some(until);
        return Err(RefreshError::BackingOff { address: Box::new(seen.address.clone()), until, why });
    }
    Ok(())
}

/// The outcome of beginning an attempt: whether the refresh token may be sent.
pub(super) enum BeginAttempt {
    /// Yes: the attempt is recorded, in place of this earlier one.
    Now(Option<RefreshAttempt>),
    /// No: the credential has changed.
    Changed(Box<Record>),
}

/// Records that the refresh token is about to be sent.
pub(super) fn begin(store: &SharedStore, seen: &Record, force: bool) -> Result<BeginAttempt, RefreshError> {
    let mut store = store.lock();
    let known = match store.attempt(&seen.address)? {
        Some(sent) if sent.state == AttemptState::InFlight => {
            Some(mark_interrupted(&mut store, &seen.address, sent)?)
        }
        known => known,
    };
    match store.begin_attempt(&seen.address, seen.version, &holder(), force)? {
        BeginOutcome::Started => Ok(BeginAttempt::Now(known)),
        BeginOutcome::Changed => {
            let now = store.get(&seen.address)?.ok_or_else(|| removed(seen))?;
            Ok(BeginAttempt::Changed(Box::new(now)))
        }
        BeginOutcome::AlreadyRecorded(before) => Err(known_failure(seen, before)),
    }
}

/// Records that the outcome of an attempt is unknown. Its holder is dead, because the refresh lock is ours.
pub(crate) fn mark_interrupted(
    store: &mut Store,
    address: &Address,
    sent: RefreshAttempt,
) -> Result<RefreshAttempt, StoreError> {
    let why = format!("{} ended before the vendor's answer was stored", sent.holder);
    let state = AttemptState::Unknown;
    store.end_attempt(address, sent.version, state, &sent.holder, &why)?;
    Ok(RefreshAttempt { state, why: Some(why), ..sent })
}

pub(super) fn busy(store: &SharedStore, seen: &Record) -> RefreshError {
    let attempt = store.lock().attempt(&seen.address);
    let holder = attempt.ok().flatten().map(|attempt| attempt.holder);
    RefreshError::Busy { address: Box::new(seen.address.clone()), holder }
}

/// The error of an earlier attempt.
fn known_failure(seen: &Record, attempt: RefreshAttempt) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let why = attempt.why.unwrap_or_default();
    match attempt.state {
        AttemptState::Rejected => RefreshError::Refused { address, why },
        AttemptState::Unknown | AttemptState::InFlight => {
            RefreshError::OutcomeUnknown { address, since: attempt.since, why }
        }
    }
}

pub(super) fn removed(seen: &Record) -> RefreshError {
    RefreshError::Gone { address: Box::new(seen.address.clone()) }
}

/// This process, for people.
pub(super) fn holder() -> String {
    format!("process {}", std::process::id())
}
