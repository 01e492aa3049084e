//! From a credential that is past its time, or nearly so, to one that can be used.

use super::{Expiring, Lookup, Request, Resolved, re_evaluate, resolve, resolve_in};
use crate::{
    Error,
    config::{Paths, Project},
    credential::Record,
    provider::Registry,
    refresh::{Refresh, RefreshError, Refreshed, provider_of},
    store::{Action, Outcome, SharedStore},
    ui::Ui,
};

/// A credential that can be used, and what went wrong on the way.
#[derive(Debug)]
pub struct FreshCredential {
    /// The credential.
    pub resolved: Resolved,
    /// Why it was not renewed, though it was time to: it can still be used. With [`RefreshError::NotStored`] it was, and
    /// is here alone.
    pub not_refreshed: Option<RefreshError>,
}

impl std::ops::Deref for FreshCredential {
    type Target = Resolved;
    fn deref(&self) -> &Resolved {
        &self.resolved
    }
}

/// Finds a credential as [`resolve`] does, and renews it first where that is due.
///
/// # Errors
/// As [`resolve`]; [`Error::Refresh`] for one that has expired and could not be renewed.
pub async fn find_fresh(paths: &Paths, request: &Request, ui: &dyn Ui) -> Result<FreshCredential, Error> {
    match resolve(paths, request)? {
        Lookup::Ready(resolved) => Ok(FreshCredential { resolved, not_refreshed: None }),
        Lookup::Expiring(stale) => ensure_fresh(paths, None, request, stale, ui).await,
    }
}

/// Renews a stale credential in the store of the data directory, or in the one given, or takes it as it is while it
/// lasts. One that its vendor has ended is passed over where the project's order has another. That one is handed out is
/// recorded, and so is why it is not.
///
/// # Errors
/// [`Error::Refresh`] for one that has expired and could not be renewed; what [`resolve`] has.
pub async fn ensure_fresh(
    paths: &Paths,
    store: Option<&SharedStore>,
    request: &Request,
    mut stale: Expiring,
    ui: &dyn Ui,
) -> Result<FreshCredential, Error> {
    loop {
        let address = stale.record.address.clone();
        let alive = refresh(paths, store, request, stale, ui).await;
        let Ok(store) = SharedStore::open(store, paths) else { return alive };
        let outcome = match &alive {
            Ok(_) => Outcome::Ok,
            Err(error) => Outcome::Failed(error.code()),
        };
        // What cannot be recorded just now is handed out all the same.
        let _ = store.lock().audit(Action::Token, &address, outcome);
        if !matches!(&alive, Err(Error::Refresh(error)) if error.needs_login()) {
            return alive;
        }
        match resolve_in(Some(&store.lock()), paths, request) {
            Ok(Lookup::Ready(resolved)) => return Ok(FreshCredential { resolved, not_refreshed: None }),
            Ok(Lookup::Expiring(other)) if other.record.address != address => stale = other,
            _ => return alive,
        }
    }
}

async fn refresh(
    paths: &Paths,
    store: Option<&SharedStore>,
    request: &Request,
    mut stale: Expiring,
    ui: &dyn Ui,
) -> Result<FreshCredential, Error> {
    let registry = Registry::load_one(paths, stale.record.address.provider.as_str());
    let project = Project::load(&paths.projects(), &request.project).map_err(Error::Project)?;
    let ready = |resolved| Ok(FreshCredential { resolved, not_refreshed: None });
    let mut is_first = true;
    loop {
        let renewed = match provider_of(&registry, &stale.record) {
            Ok(provider) => {
                let refresh = Refresh { paths, store, provider, project: &project, ui };
                refresh.refresh(&stale.record, false).await
            }
            Err(error) => Err(error),
        };
        match renewed {
            // A vendor's CLI may renew the refresh token alone.
            Ok(Refreshed::Now(record)) if record.credential.usable() == stale.record.credential.usable() => {
                return ready(Expiring { record, ..stale }.without_refresh()?);
            }
            Ok(Refreshed::Now(record)) => return ready(stale.refreshed(record)),
            // Perhaps not by a renewal: what somebody has stored in its place may be of any kind, and of any age.
            Ok(Refreshed::Earlier(record)) => match re_evaluate(paths, &project, request, stale, record)? {
                Lookup::Ready(resolved) => return ready(resolved),
                Lookup::Expiring(other) if is_first => stale = other,
                Lookup::Expiring(other) => return ready(other.without_refresh()?),
            },
            // Of what is lost it can still be used.
            Err(RefreshError::NotStored { address, fresh, source }) => {
                let resolved = stale.refreshed(Record::clone(&fresh));
                return Ok(FreshCredential {
                    resolved,
                    not_refreshed: Some(RefreshError::NotStored { address, fresh, source }),
                });
            }
            Err(error) => {
                return match stale.without_refresh() {
                    Ok(resolved) => Ok(FreshCredential { resolved, not_refreshed: Some(error) }),
                    // It has expired, and that is all that there is to say.
                    Err(expired) if matches!(error, RefreshError::NotRefreshable { .. }) => Err(expired),
                    Err(_) => Err(error.into()),
                };
            }
        }
        is_first = false;
    }
}
