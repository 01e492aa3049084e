//! Storing what an exchange brought, or how it failed.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    RefreshError, RefreshResult, Refreshed,
    other_account::other_account,
    precheck::{holder, removed},
};
use crate::{
    credential::Record,
    oauth::OAuthError,
    store::{
        Action, AttemptState, Backoff, Outcome, RefreshAttempt, SharedStore, Store, StoreError, Swap,
        retry_until_writable,
    },
};

/// In the audit log: the vendor's answer came for a credential that was another one by then.
const REPLACED: &str = "replaced";

/// Stores what an exchange brought, or records how it failed. The winner of a race is left alone. Why that takes long is
/// told once.
pub(super) async fn store_result(
    store: &SharedStore,
    seen: &Record,
    before: Option<RefreshAttempt>,
    outcome: Result<RefreshResult, RefreshError>,
    tell: oneshot::Sender<String>,
) -> Result<Refreshed, RefreshError> {
    store.lock().record_as(Action::Refresh);
    let (address, version) = (&seen.address, seen.version);
    let tell = |why: &StoreError| drop(tell.send(why.to_string()));
    match outcome.and_then(|fresh| check(seen, &fresh).map(|()| fresh)) {
        Ok(fresh) => {
            let swap = || store.lock().swap(address, version, &fresh.credential, &fresh.metadata);
            match retry_until_writable(swap, tell).await {
                Ok(Swap::Swapped(record)) => Ok(Refreshed::Now(record)),
                // An attempt that failed after it had stored.
                Ok(Swap::Lost(Some(record))) if record.credential == fresh.credential => {
                    Ok(Refreshed::Now(record))
                }
                Ok(Swap::Lost(now)) => lost_race(&mut store.lock(), seen, now),
                Err(source) => Err(not_stored(&mut store.lock(), seen, fresh, source)),
            }
        }
        Err(error) => {
            let _ = store.lock().audit(Action::Refresh, address, Outcome::Failed(error.code()));
            // What cannot be noted either is in doubt for whoever asks next; this one is told what the vendor said.
            let _ = retry_until_writable(
                || record_failure(&mut store.lock(), seen, before.as_ref(), &error),
                tell,
            )
            .await;
            Err(error)
        }
    }
}

/// Somebody stored another one in the meantime, or removed it. The token was sent all the same.
fn lost_race(store: &mut Store, seen: &Record, now: Option<Record>) -> Result<Refreshed, RefreshError> {
    let address = &seen.address;
    let Some(now) = now else {
        let error = removed(seen);
        let _ = store.audit(Action::Refresh, address, Outcome::Failed(error.code()));
        return Err(error);
    };
    let _ = store.audit(Action::Refresh, address, Outcome::Failed(REPLACED));
    Ok(Refreshed::Earlier(now))
}

/// What the vendor gave is lost but for whoever waits for it. That the token was sent is recorded already; why there is
/// no more to it is said if that can be written.
fn not_stored(store: &mut Store, seen: &Record, fresh: RefreshResult, source: StoreError) -> RefreshError {
    let why = format!("the vendor's answer could not be stored: {source}");
    let state = AttemptState::Unknown;
    let _ = store.end_attempt(&seen.address, seen.version, state, &holder(), &why);
    let RefreshResult { credential, metadata } = fresh;
    let address = Box::new(seen.address.clone());
    let fresh = Box::new(Record { credential, metadata, ..seen.clone() });
    let error = RefreshError::NotStored { address, fresh, source: Box::new(source) };
    let _ = store.audit(Action::Refresh, &seen.address, Outcome::Failed(error.code()));
    error
}

/// Records how an exchange failed.
fn record_failure(
    store: &mut Store,
    seen: &Record,
    before: Option<&RefreshAttempt>,
    error: &RefreshError,
) -> Result<(), StoreError> {
    let (address, version) = (&seen.address, seen.version);
    match (error, error.needs_login()) {
        (RefreshError::OutcomeUnknown { why, .. }, _) => {
            store.end_attempt(address, version, AttemptState::Unknown, &holder(), why)?;
        }
        (RefreshError::Refused { why, .. }, _) => {
            store.end_attempt(address, version, AttemptState::Rejected, &holder(), why)?;
        }
        (other, true) => {
            let why = other.to_string();
            store.end_attempt(address, version, AttemptState::Rejected, &holder(), &why)?;
        }
        // It was not sent, which says nothing of the times before.
        (_, false) => match before {
            Some(before) => store.restore_attempt(address, before)?,
            None => store.remove_attempt(address, version)?,
        },
    }
    if let Some((why, wait)) = transient_failure(error) {
        let at = Timestamp::now();
        let until = at.checked_add(wait).unwrap_or(at);
        store.set_backoff(address, &Backoff { version, at, until, why })?;
    }
    Ok(())
}

/// Of a failure that may not be one the next time: what it was, and how long the vendor wants to be left alone.
fn transient_failure(error: &RefreshError) -> Option<(String, Duration)> {
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
fn check(seen: &Record, fresh: &RefreshResult) -> Result<(), RefreshError> {
    let address = || Box::new(seen.address.clone());
    if let Some((expected, found)) = other_account(seen, fresh) {
        return Err(RefreshError::OtherAccount { address: address(), expected, found });
    }
    let lacks = |scope: &&String| !fresh.metadata.scopes.contains(scope);
    let missing: Vec<String> = seen.metadata.scopes.iter().filter(lacks).cloned().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(RefreshError::FewerScopes { address: address(), missing }),
    }
}
