//! What the store knows of an exchange, before it and after it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Fresh, RefreshError, Renewed};
use crate::{
    credential::Record,
    lifecycle::resolve::margin,
    oauth::OAuthError,
    store::{Action, Begun, Exchange, ExchangeState, Outcome, Postponed, SharedStore, Store, Swap},
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
        Some(sent) if sent.state == ExchangeState::Sent => Some(died(&mut store, seen, sent)?),
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
fn died(store: &mut Store, seen: &Record, sent: Exchange) -> Result<Exchange, RefreshError> {
    let why = format!("{} ended before the vendor's answer was stored", sent.holder);
    let state = ExchangeState::Unknown;
    store.end_exchange(&seen.address, sent.version, state, &sent.holder, &why)?;
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

/// Stores what an exchange brought, or records how it failed. The winner of a race is left alone.
pub(super) fn keep(
    store: &mut Store,
    seen: &Record,
    before: Option<Exchange>,
    outcome: Result<Fresh, RefreshError>,
) -> Result<Renewed, RefreshError> {
    store.record_as(Action::Refresh);
    let outcome = outcome.and_then(|fresh| check(seen, &fresh).map(|()| fresh));
    if let Err(error) = &outcome {
        let _ = store.audit(Action::Refresh, &seen.address, Outcome::Failed(error.code()));
    }
    match outcome {
        Ok(Fresh { credential, metadata }) => {
            match store.swap(&seen.address, seen.version, &credential, &metadata)? {
                Swap::Swapped(record) => Ok(Renewed::Now(record)),
                Swap::Lost(Some(record)) => Ok(Renewed::Before(record)),
                Swap::Lost(None) => Err(gone(seen)),
            }
        }
        Err(error) => {
            let (address, version) = (&seen.address, seen.version);
            match (&error, error.needs_login()) {
                (RefreshError::OutcomeUnknown { why, .. }, _) => {
                    store.end_exchange(address, version, ExchangeState::Unknown, &holder(), why)?;
                }
                (RefreshError::Refused { why, .. }, _) => {
                    store.end_exchange(address, version, ExchangeState::Refused, &holder(), why)?;
                }
                (other, true) => {
                    let why = other.to_string();
                    store.end_exchange(address, version, ExchangeState::Refused, &holder(), &why)?;
                }
                // It was not sent, which says nothing of the times before.
                (_, false) => match before {
                    Some(before) => store.put_back_exchange(address, &before)?,
                    None => store.forget_exchange(address, version)?,
                },
            }
            if let Some((why, wait)) = passing(&error) {
                let at = Timestamp::now();
                let until = at.checked_add(wait).unwrap_or(at);
                store.postpone(address, &Postponed { version, at, until, why })?;
            }
            Err(error)
        }
    }
}

/// Of a failure that may not be one the next time: what it was, and how long the vendor wants to be left alone.
fn passing(error: &RefreshError) -> Option<(String, Duration)> {
    match error {
        RefreshError::Server { source, .. } => {
            let wait = match source {
                OAuthError::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            Some((source.to_string(), wait))
        }
        RefreshError::Cli { ending, .. } => {
            Some((format!("the vendor's CLI renewed nothing: {ending}"), Duration::ZERO))
        }
        _ => None,
    }
}

/// What came back must be of the same account and may do no less.
fn check(seen: &Record, fresh: &Fresh) -> Result<(), RefreshError> {
    let address = || Box::new(seen.address.clone());
    if let (Some(expected), Some(found)) = (&seen.metadata.account, &fresh.metadata.account)
        && expected != found
    {
        let (expected, found) = (expected.clone(), found.clone());
        return Err(RefreshError::OtherAccount { address: address(), expected, found });
    }
    let lacks = |scope: &&String| !fresh.metadata.scopes.contains(scope);
    let missing: Vec<String> = seen.metadata.scopes.iter().filter(lacks).cloned().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(RefreshError::FewerScopes { address: address(), missing }),
    }
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
