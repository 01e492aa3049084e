//! Refreshing a credential before it is used.

use super::{Lookup, Request, ResolveError, Resolved, StoredChoice, re_evaluate, resolve};
use crate::{
    blocking,
    context::Context,
    credential::Record,
    refresh::{Refresh, RefreshError, Refreshed},
    store::{Action, Outcome},
};

/// A credential that can be used, with the failure of its refresh, if that failed.
#[derive(Debug)]
pub struct FreshCredential {
    /// The credential.
    pub resolved: Resolved,
    /// The reason why it was not refreshed although it was due. After [`RefreshError::NotStored`] it was refreshed, and this
    /// value is the only copy.
    pub not_refreshed: Option<RefreshError>,
}

impl From<Resolved> for FreshCredential {
    fn from(resolved: Resolved) -> Self {
        Self { resolved, not_refreshed: None }
    }
}

impl std::ops::Deref for FreshCredential {
    type Target = Resolved;
    fn deref(&self) -> &Resolved {
        &self.resolved
    }
}

/// Finds a credential as [`resolve`] does, and refreshes it first if it is due.
///
/// # Errors
/// Any [`ResolveError`]; `Refresh` for a credential that has expired and could not be refreshed.
pub async fn find_fresh(context: &Context, request: &Request) -> Result<FreshCredential, ResolveError> {
    match resolve_elsewhere(context, request).await? {
        Lookup::Ready(resolved) => Ok(resolved.into()),
        Lookup::Expiring(expiring) => ensure_fresh(context, request, expiring).await,
    }
}

/// Refreshes a credential that is due; if that fails, uses the current one until it expires. A login that its vendor has
/// ended is passed over if the project's order has another credential. The audit log gets an entry when a credential is
/// handed out or refused.
///
/// # Errors
/// As [`find_fresh`].
pub async fn ensure_fresh(
    context: &Context,
    request: &Request,
    mut expiring: StoredChoice,
) -> Result<FreshCredential, ResolveError> {
    loop {
        let address = expiring.record.address.clone();
        let fresh = refresh(context, request, expiring).await;
        let outcome = match &fresh {
            Ok(_) => Outcome::Ok,
            Err(error) => Outcome::Failed(error.code()),
        };
        let (opened, audited) = (context.clone(), address.clone());
        // The credential is handed out even if that cannot be recorded.
        let _ = blocking::run(move || opened.store()?.lock().audit(Action::Token, &audited, outcome)).await;
        if !matches!(&fresh, Err(ResolveError::Refresh(error)) if error.needs_login()) {
            return fresh;
        }
        match resolve_elsewhere(context, request).await {
            Ok(Lookup::Ready(resolved)) => return Ok(resolved.into()),
            Ok(Lookup::Expiring(other)) if other.record.address != address => expiring = other,
            _ => return fresh,
        }
    }
}

/// Resolves a request on a thread where blocking is allowed.
async fn resolve_elsewhere(context: &Context, request: &Request) -> Result<Lookup, ResolveError> {
    let (context, request) = (context.clone(), request.clone());
    blocking::run(move || resolve(&context, &request)).await
}

async fn refresh(
    context: &Context,
    request: &Request,
    mut expiring: StoredChoice,
) -> Result<FreshCredential, ResolveError> {
    let mut is_first = true;
    loop {
        match Refresh::now(context, &expiring.record, false).await {
            // A vendor's CLI may rotate the refresh token alone.
            Ok(Refreshed::Now(record))
                if record.credential.usable() == expiring.record.credential.usable() =>
            {
                return Ok(StoredChoice { record, ..expiring }.without_refresh()?.into());
            }
            Ok(Refreshed::Now(record)) => return Ok(expiring.refreshed(record).into()),
            // Another process may have stored a credential of any kind and age, not only a refreshed one.
            Ok(Refreshed::Earlier(record)) => {
                let (context, request) = (context.clone(), request.clone());
                match blocking::run(move || re_evaluate(&context, &request, expiring, record)).await? {
                    Lookup::Ready(resolved) => return Ok(resolved.into()),
                    Lookup::Expiring(other) if is_first => expiring = other,
                    Lookup::Expiring(other) => return Ok(other.without_refresh()?.into()),
                }
            }
            // The new access token can still be used once.
            Err(RefreshError::NotStored { address, fresh, source }) => {
                let resolved = expiring.refreshed(Record::clone(&fresh));
                let error = RefreshError::NotStored { address, fresh, source };
                return Ok(FreshCredential { resolved, not_refreshed: Some(error) });
            }
            Err(error) => return without_refresh(expiring, error),
        }
        is_first = false;
    }
}

/// The current credential, if it has not expired, or else the failure of its refresh.
fn without_refresh(expiring: StoredChoice, error: RefreshError) -> Result<FreshCredential, ResolveError> {
    match expiring.without_refresh() {
        Ok(resolved) => Ok(FreshCredential { resolved, not_refreshed: Some(error) }),
        // A credential that cannot be refreshed has simply expired.
        Err(expired) if matches!(error, RefreshError::NotRefreshable { .. }) => Err(expired),
        Err(_) => Err(error.into()),
    }
}
