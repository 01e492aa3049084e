//! What the store knows of an exchange before it.

use jiff::Timestamp;

use super::RefreshError;
use crate::{
    credential::{Address, Record},
    resolve::refresh_margin,
    store::{AttemptState, Backoff, BeginOutcome, RefreshAttempt, SharedStore, Store, StoreError},
};

/// The credential, if it need not be renewed any more.
pub(super) fn already_refreshed(
    store: &SharedStore,
    seen: &Record,
    force: bool,
) -> Result<Option<Record>, RefreshError> {
    let now = store.lock().get(&seen.address)?.ok_or_else(|| removed(seen))?;
    let is_other = now.version != seen.version;
    Ok((is_other || !force && !is_due(&now, Timestamp::now())).then_some(now))
}

/// Spares the wait where the answer is known.
pub(super) fn check_known_failure(store: &SharedStore, seen: &Record) -> Result<(), RefreshError> {
    match store.lock().attempt(&seen.address)? {
        Some(exchange) if exchange.version == seen.version && exchange.state != AttemptState::InFlight => {
            Err(known_failure(seen, exchange))
        }
        _ => Ok(()),
    }
}

/// Spares the vendor a question that it was asked while we waited, or does not want to be asked yet.
pub(super) fn check_backoff(
    store: &SharedStore,
    seen: &Record,
    asked: Timestamp,
) -> Result<(), RefreshError> {
    let Some(Backoff { at, until, why, .. }) = store.lock().backoff(&seen.address)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    // Nothing that a clock which was set back makes the future of.
    if at <= now && (at > asked || until > now) {
        let until = (until > now).then_some(until);
        return Err(RefreshError::BackingOff { address: Box::new(seen.address.clone()), until, why });
    }
    Ok(())
}

/// Whether the token is sent.
pub(super) enum BeginAttempt {
    /// It is recorded, in place of what was known of it before.
    Now(Option<RefreshAttempt>),
    /// The credential has moved on.
    Changed(Box<Record>),
}

/// Records that the token is about to be sent.
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

/// Records that nobody knows how an exchange ended. The turn is ours, so whoever sent the token is dead.
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
    let exchange = store.lock().attempt(&seen.address);
    let holder = exchange.ok().flatten().map(|exchange| exchange.holder);
    RefreshError::Busy { address: Box::new(seen.address.clone()), holder }
}

/// True when a credential is past its time or within the margin before it.
fn is_due(record: &Record, now: Timestamp) -> bool {
    let end = record.metadata.expires_at;
    end.is_some_and(|end| end.duration_since(now) <= refresh_margin(record.updated_at, end))
}

/// What is known from an earlier attempt.
fn known_failure(seen: &Record, exchange: RefreshAttempt) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let why = exchange.why.unwrap_or_default();
    match exchange.state {
        AttemptState::Rejected => RefreshError::Refused { address, why },
        AttemptState::Unknown | AttemptState::InFlight => {
            RefreshError::OutcomeUnknown { address, since: exchange.since, why }
        }
    }
}

pub(super) fn removed(seen: &Record) -> RefreshError {
    RefreshError::Gone { address: Box::new(seen.address.clone()) }
}

/// Who we are, for people.
pub(super) fn holder() -> String {
    format!("process {}", std::process::id())
}
