//! Storing the result of a refresh, or recording its failure.

use std::{future::pending, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    RefreshError, RefreshResult, Refreshed, method,
    misfit::misfit,
    precheck::{Asked, holder, removed},
};
use crate::{
    credential::{Credential, Record},
    oauth::OAuthError,
    store::{
        Action, AttemptState, Backoff, Outcome, RefreshAttempt, SharedStore, Store, StoreError, Swap,
        retry_until_writable,
    },
};

/// The word in the audit log for an answer that came after the credential was replaced.
const REPLACED: &str = "replaced";

/// The time after which a vendor is asked again that refused in words of its own.
const REFUSED_BACKOFF: Duration = Duration::from_secs(300);

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
    match outcome {
        Ok(fresh) if let Some(why) = misfit(seen, &fresh) => set_aside(store, asked, fresh, why, tell).await,
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

/// Keeps tokens that do not fit the login beside its old ones.
async fn set_aside(
    store: &SharedStore,
    asked: Arc<Asked>,
    fresh: RefreshResult,
    why: String,
    tell: impl FnOnce(&StoreError),
) -> Result<Refreshed, RefreshError> {
    let (Credential::OAuth(old), Credential::OAuth(new)) = (&asked.seen.credential, fresh.credential) else {
        return Err(method::not_refreshable(&asked.seen, "only an OAuth login can be refreshed"));
    };
    let credential = Credential::OAuth(old.with_set_aside(new, &fresh.metadata));
    let (kept, reason) = (Record { credential, ..asked.seen.clone() }, why.clone());
    let new = kept.credential.clone();
    let swap = move |store: &mut Store| {
        let swap = |store: &mut Store| store.swap_set_aside(&kept, &holder(), &reason);
        store.recorded_as(Action::SetAside, swap)
    };
    let swapped = retry_until_writable(store, swap, tell, pending()).await;
    let ended = move |store: &mut Store| {
        let seen = &asked.seen;
        let address = Box::new(seen.address.clone());
        match swapped {
            Ok(Swap::Swapped(_)) => Err(RefreshError::SetAside { address, why }),
            // An earlier try stored it and then failed.
            Ok(Swap::Lost(Some(now))) if now.credential == new => {
                Err(RefreshError::SetAside { address, why })
            }
            Ok(Swap::Lost(now)) => lost_race(store, seen, now),
            Err(source) => Err(not_kept(store, &asked, format!("{why}, and cannot be stored: {source}"))),
        }
    };
    store.run(ended).await
}

/// The tokens that do not fit are lost. The attempt is recorded already; the reason is added if that can be written.
fn not_kept(store: &mut Store, asked: &Asked, why: String) -> RefreshError {
    let seen = &asked.seen;
    let why = format!("the vendor's new tokens do not fit: {why}");
    if asked.consumes_token {
        let _ = store.end_attempt(&seen.address, seen.version, AttemptState::Unknown, &holder(), &why);
    }
    let address = Box::new(seen.address.clone());
    let error = RefreshError::OutcomeUnknown { address, since: Timestamp::now(), why };
    let _ = store.audit(Action::Refresh, &seen.address, Outcome::Failed(error.code()));
    error
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
    let RefreshResult { credential, metadata, .. } = fresh;
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
        // The vendor has said that the request is wrong, or something that is no OAuth error response. The same request
        // would probably be refused again, but a person may correct it.
        RefreshError::RequestRefused { source, .. } => {
            let wait = match source {
                OAuthError::Refused { .. } => Duration::ZERO,
                _ => REFUSED_BACKOFF,
            };
            Some((source.to_string(), wait))
        }
        RefreshError::Cli { ending, .. } => {
            Some((format!("the vendor's CLI refreshed nothing: {ending}"), Duration::ZERO))
        }
        _ => None,
    }
}
