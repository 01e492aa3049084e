//! Storing the result of a refresh, or recording its failure.

use std::{future::pending, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    RefreshError, RefreshResult, Refreshed,
    other_account::other_account,
    precheck::{Asked, holder, removed},
};
use crate::{
    credential::Record,
    oauth::OAuthError,
    store::{
        Action, AttemptState, Backoff, Outcome, RefreshAttempt, SharedStore, Store, StoreError, Swap,
        retry_until_writable,
    },
};

/// The word in the audit log for an answer that came after the credential was replaced.
const REPLACED: &str = "replaced";

/// Stores the credential that the vendor gave, or records the failure. A credential that another process stored meanwhile is
/// kept. `tell` gets the reason once, if storing takes long.
pub(super) async fn store_result(
    store: &SharedStore,
    asked: &Arc<Asked>,
    before: Option<RefreshAttempt>,
    outcome: Result<RefreshResult, RefreshError>,
    tell: oneshot::Sender<String>,
) -> Result<Refreshed, RefreshError> {
    let (seen, asked) = (&asked.seen, asked.clone());
    let version = seen.version;
    let tell = |why: &StoreError| drop(tell.send(why.to_string()));
    match outcome.and_then(|fresh| check(seen, &fresh).map(|()| fresh)) {
        Ok(fresh) => {
            let (address, new) = (seen.address.clone(), fresh.clone());
            let swap = move |store: &mut Store| {
                let swap = |store: &mut Store| store.swap(&address, version, &new.credential, &new.metadata);
                store.recorded_as(Action::Refresh, swap)
            };
            let swapped = retry_until_writable(store, swap, tell, pending()).await;
            store.run(move |store| outcome_of(store, &asked, fresh, swapped)).await
        }
        Err(error) => {
            let (failure, code) = (Failure::of(&error), error.code());
            let address = seen.address.clone();
            let _ =
                store.run(move |store| store.audit(Action::Refresh, &address, Outcome::Failed(code))).await;
            // If that fails, the next caller finds an attempt whose outcome is unknown; this one gets the vendor's answer.
            let record = move |store: &mut Store| failure.record(store, &asked.seen, before.as_ref());
            let _ = retry_until_writable(store, record, tell, pending()).await;
            Err(error)
        }
    }
}

/// The outcome of storing the new tokens.
fn outcome_of(
    store: &mut Store,
    asked: &Asked,
    fresh: RefreshResult,
    swapped: Result<Swap, StoreError>,
) -> Result<Refreshed, RefreshError> {
    match swapped {
        Ok(Swap::Swapped(record)) => Ok(Refreshed::Now(record)),
        // An earlier try stored it and then failed.
        Ok(Swap::Lost(Some(record))) if record.credential == fresh.credential => Ok(Refreshed::Now(record)),
        Ok(Swap::Lost(now)) => lost_race(store, &asked.seen, now),
        Err(source) => Err(not_stored(store, asked, fresh, source)),
    }
}

/// Another process stored another credential meanwhile, or removed this one. The refresh token was sent all the same.
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

/// The new tokens cannot be stored: only the waiting caller has them. The attempt is recorded already; the reason is added
/// if that can be written.
fn not_stored(store: &mut Store, asked: &Asked, fresh: RefreshResult, source: StoreError) -> RefreshError {
    let seen = &asked.seen;
    if asked.consumes_token {
        let why = format!("cannot store the vendor's answer: {source}");
        let state = AttemptState::Unknown;
        let _ = store.end_attempt(&seen.address, seen.version, state, &holder(), &why);
    }
    let RefreshResult { credential, metadata } = fresh;
    let address = Box::new(seen.address.clone());
    let fresh = Box::new(Record { credential, metadata, ..seen.clone() });
    let error = RefreshError::NotStored { address, fresh, source: Box::new(source) };
    let _ = store.audit(Action::Refresh, &seen.address, Outcome::Failed(error.code()));
    error
}

/// The parts of a failure that the next caller must know.
struct Failure {
    /// The state of the attempt; `None` if the token was not sent.
    state: Option<(AttemptState, String)>,
    backoff: Option<(String, Duration)>,
}

impl Failure {
    fn of(error: &RefreshError) -> Self {
        let state = match error {
            RefreshError::OutcomeUnknown { why, .. } => Some((AttemptState::Unknown, why.clone())),
            RefreshError::Refused { why, .. } => Some((AttemptState::Rejected, why.clone())),
            other if other.needs_login() => Some((AttemptState::Rejected, other.to_string())),
            _ => None,
        };
        Self { state, backoff: transient_failure(error) }
    }

    fn record(
        &self,
        store: &mut Store,
        seen: &Record,
        before: Option<&RefreshAttempt>,
    ) -> Result<(), StoreError> {
        let (address, version) = (&seen.address, seen.version);
        match (&self.state, before) {
            (Some((state, why)), _) => store.end_attempt(address, version, *state, &holder(), why)?,
            // The token was not sent, so an earlier attempt still counts.
            (None, Some(before)) => store.restore_attempt(address, before)?,
            (None, None) => store.remove_attempt(address, version)?,
        }
        if let Some((why, wait)) = self.backoff.clone() {
            let at = Timestamp::now();
            let until = at.checked_add(wait).unwrap_or(at);
            store.set_backoff(address, &Backoff { version, at, until, why })?;
        }
        Ok(())
    }
}

/// The text of a failure that may pass, and the time for which the vendor wants to be left alone.
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
            Some((format!("the vendor's CLI refreshed nothing: {ending}"), Duration::ZERO))
        }
        _ => None,
    }
}

/// Refuses tokens of another account, or with fewer scopes.
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
