//! Storing the result of a refresh, or recording its failure.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    RefreshError, RefreshResult, Refreshed,
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

/// The vendor's new tokens as they are stored.
#[derive(Clone)]
struct NewTokens {
    /// The login with them, or with its old tokens and these set aside. The version is the one that was sent.
    record: Record,
    /// The reason why they are set aside.
    misfit: Option<String>,
}

impl NewTokens {
    fn of(seen: &Record, fresh: RefreshResult) -> Self {
        let misfit = misfit(seen, &fresh);
        let RefreshResult { credential, metadata, .. } = fresh;
        let record = match (&misfit, &seen.credential, credential) {
            (Some(_), Credential::OAuth(old), Credential::OAuth(new)) => {
                let credential = Credential::OAuth(old.with_set_aside(new, &metadata));
                Record { credential, ..seen.clone() }
            }
            (_, _, credential) => Record { credential, metadata, ..seen.clone() },
        };
        Self { record, misfit }
    }

    fn swap(&self, store: &mut Store) -> Result<Swap, StoreError> {
        let Record { address, credential, metadata, version, .. } = &self.record;
        match &self.misfit {
            None => store
                .recorded_as(Action::Refresh, |store| store.swap(address, *version, credential, metadata)),
            Some(why) => store
                .recorded_as(Action::SetAside, |store| store.swap_set_aside(&self.record, &holder(), why)),
        }
    }
}

/// Stores the credential that the vendor gave, or sets it aside, or records the failure. A credential that another process
/// stored meanwhile is kept. `tell` gets the reason once, if storing takes long.
pub(super) async fn store_result(
    store: &SharedStore,
    asked: &Arc<Asked>,
    before: Option<RefreshAttempt>,
    outcome: Result<RefreshResult, RefreshError>,
    tell: oneshot::Sender<String>,
) -> Result<Refreshed, RefreshError> {
    let (seen, asked) = (&asked.seen, asked.clone());
    let tell = |why: &StoreError| drop(tell.send(why.to_string()));
    match outcome {
        Ok(fresh) => {
            let new = NewTokens::of(seen, fresh);
            let tried = new.clone();
            let swap = move |store: &mut Store| tried.swap(store);
            let swapped = retry_until_writable(store, swap, tell, pending()).await;
            store.run(move |store| outcome_of(store, &asked, new, swapped)).await
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
    new: NewTokens,
    swapped: Result<Swap, StoreError>,
) -> Result<Refreshed, RefreshError> {
    let now = match swapped {
        Ok(Swap::Swapped(now)) => now,
        // An earlier try stored it and then failed.
        Ok(Swap::Lost(Some(now))) if now.credential == new.record.credential => now,
        Ok(Swap::Lost(now)) => return lost_race(store, &asked.seen, now),
        Err(source) => return Err(not_stored(store, asked, new, source)),
    };
    match new.misfit {
        None => Ok(Refreshed::Now(now)),
        Some(why) => Err(RefreshError::SetAside { address: Box::new(now.address), why }),
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

/// The new tokens cannot be stored: only the waiting caller has them, if they fit. The attempt is recorded already; the
/// reason is added if that can be written.
fn not_stored(store: &mut Store, asked: &Asked, new: NewTokens, source: StoreError) -> RefreshError {
    let seen = &asked.seen;
    let misfit = new.misfit.map(|why| format!(", which does not fit ({why})")).unwrap_or_default();
    let why = format!("cannot store the vendor's answer{misfit}: {source}");
    if asked.consumes_token {
        let state = AttemptState::Unknown;
        let _ = store.end_attempt(&seen.address, seen.version, state, &holder(), &why);
    }
    let address = Box::new(seen.address.clone());
    let error = match misfit.is_empty() {
        true => RefreshError::NotStored { address, fresh: Box::new(new.record), source: Box::new(source) },
        false => RefreshError::OutcomeUnknown { address, since: crate::clock::now(), why },
    };
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
            let at = crate::clock::now();
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
