//! What the store knows of an exchange before it.

use jiff::Timestamp;

use super::RefreshError;
use crate::{
    credential::{Address, Record},
    resolve::margin,
    store::{Begun, Exchange, ExchangeState, Postponed, SharedStore, Store, StoreError},
};

/// The credential, if it need not be renewed any more.
pub(super) fn moved_on(
    store: &SharedStore,
    seen: &Record,
    force: bool,
) -> Result<Option<Record>, RefreshError> {
    let now = store.lock().get(&seen.address)?.ok_or_else(|| gone(seen))?;
    let is_other = now.version != seen.version;
    Ok((is_other || !force && !is_due(&now, Timestamp::now())).then_some(now))
}

/// Spares the wait where the answer is known.
pub(super) fn check_remembered(store: &SharedStore, seen: &Record) -> Result<(), RefreshError> {
    match store.lock().exchange(&seen.address)? {
        Some(exchange) if exchange.version == seen.version && exchange.state != ExchangeState::Sent => {
            Err(remembered(seen, exchange))
        }
        _ => Ok(()),
    }
}

/// Spares the vendor a question that it was asked while we waited, or does not want to be asked yet.
pub(super) fn check_postponed(
    store: &SharedStore,
    seen: &Record,
    asked: Timestamp,
) -> Result<(), RefreshError> {
    let Some(Postponed { at, until, why, .. }) = store.lock().postponed(&seen.address)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    // Nothing that a clock which was set back makes the future of.
    if at <= now && (at > asked || until > now) {
        let until = (until > now).then_some(until);
        return Err(RefreshError::Postponed { address: Box::new(seen.address.clone()), until, why });
    }
    Ok(())
}

/// Whether the token is sent.
pub(super) enum Begin {
    /// It is recorded, in place of what was known of it before.
    Now(Option<Exchange>),
    /// The credential has moved on.
    Moved(Box<Record>),
}

/// Records that the token is about to be sent.
pub(super) fn begin(store: &SharedStore, seen: &Record, force: bool) -> Result<Begin, RefreshError> {
    let mut store = store.lock();
    let known = match store.exchange(&seen.address)? {
        Some(sent) if sent.state == ExchangeState::Sent => Some(died(&mut store, &seen.address, sent)?),
        known => known,
    };
    match store.begin_exchange(&seen.address, seen.version, &holder(), force)? {
        Begun::Yes => Ok(Begin::Now(known)),
        Begun::Moved => {
            let now = store.get(&seen.address)?.ok_or_else(|| gone(seen))?;
            Ok(Begin::Moved(Box::new(now)))
        }
        Begun::Before(before) => Err(remembered(seen, before)),
    }
}

/// Records that nobody knows how an exchange ended. The turn is ours, so whoever sent the token is dead.
pub(crate) fn died(store: &mut Store, address: &Address, sent: Exchange) -> Result<Exchange, StoreError> {
    let why = format!("{} ended before the vendor's answer was stored", sent.holder);
    let state = ExchangeState::Unknown;
    store.end_exchange(address, sent.version, state, &sent.holder, &why)?;
    Ok(Exchange { state, why: Some(why), ..sent })
}

pub(super) fn busy(store: &SharedStore, seen: &Record) -> RefreshError {
    let exchange = store.lock().exchange(&seen.address);
    let holder = exchange.ok().flatten().map(|exchange| exchange.holder);
    RefreshError::Busy { address: Box::new(seen.address.clone()), holder }
}

/// True when a credential is past its time or within the margin before it.
fn is_due(record: &Record, now: Timestamp) -> bool {
    let end = record.metadata.expires_at;
    end.is_some_and(|end| end.duration_since(now) <= margin(record.updated_at, end))
}

/// What is known from an earlier attempt.
fn remembered(seen: &Record, exchange: Exchange) -> RefreshError {
    let address = Box::new(seen.address.clone());
    let why = exchange.why.unwrap_or_default();
    match exchange.state {
        ExchangeState::Refused => RefreshError::Refused { address, why },
        ExchangeState::Unknown | ExchangeState::Sent => {
            RefreshError::OutcomeUnknown { address, since: exchange.since, why }
        }
    }
}

pub(super) fn gone(seen: &Record) -> RefreshError {
    RefreshError::Gone { address: Box::new(seen.address.clone()) }
}

/// Who we are, for people.
pub(super) fn holder() -> String {
    format!("process {}", std::process::id())
}
