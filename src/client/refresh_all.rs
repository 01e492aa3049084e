//! Refreshing stored credentials: one, or all that can be refreshed.

use crate::{
    Error, ErrorKind,
    context::Context,
    credential::{Address, Name},
    refresh::{Refresh, RefreshError, Refreshed},
    resolve::{Request, ResolveError, StoredChoice, choose_stored},
    store::{Listing, StoreError, Unreadable},
};

/// A refresh of one or all stored credentials.
pub struct RefreshAll<'a> {
    /// The context.
    pub context: &'a Context,
    /// Refresh even if not due, and send refresh tokens again that were rejected: see [`Refresh::refresh`].
    pub force: bool,
}

/// The result for each of several credentials.
pub type Results<T> = Vec<(Address, Result<T, Error>)>;

impl RefreshAll<'_> {
    /// The stored credential that [`resolve`](crate::resolve::resolve) would find for a request.
    ///
    /// # Errors
    /// [`ResolveError::NotFound`], and the errors of [`choose_stored`].
    pub fn choose(&self, request: &Request) -> Result<StoredChoice, ResolveError> {
        if let Some(chosen) = choose_stored(self.context, request)? {
            return Ok(chosen);
        }
        let (set, profile) = (request.set.as_ref(), request.profile.as_ref());
        let address = Box::new(self.context.address(set, &request.provider, profile)?);
        Err(ResolveError::NotFound { address, key_optional: false })
    }

    /// The stored credentials of a set and a profile, or all; and the rows that have no valid address. A credential that
    /// cannot be opened is an error of its own.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn all_stored(
        &self,
        set: Option<&Name>,
        profile: Option<&Name>,
    ) -> Result<(Results<StoredChoice>, Vec<Unreadable>), StoreError> {
        let Some(store) = self.context.existing_store()? else { return Ok(Default::default()) };
        let store = store.lock();
        let Listing { credentials, unreadable } = store.listing(set)?;
        let (mut all, mut nameless) = (Results::new(), Vec::new());
        let is_wanted = |address: &Address| profile.is_none_or(|profile| *profile == address.profile);
        for row in unreadable {
            match row.address.clone() {
                Some(address) if is_wanted(&address) => {
                    all.push((address, Err(StoreError::Unreadable(Box::new(row)).into())));
                }
                Some(_) => {}
                None => nameless.push(row),
            }
        }
        for address in credentials.into_iter().map(|summary| summary.address).filter(is_wanted) {
            match store.get(&address) {
                Ok(Some(record)) => all.push((address, Ok(StoredChoice { record, skipped: Vec::new() }))),
                Ok(None) => {}
                Err(error @ (StoreError::NotOpened { .. } | StoreError::Decode { .. })) => {
                    all.push((address, Err(error.into())));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((all, nameless))
    }

    /// Refreshes one credential.
    ///
    /// # Errors
    /// [`RefreshError`]
    pub async fn refresh(&self, chosen: &StoredChoice) -> Result<Refreshed, RefreshError> {
        Refresh::now(self.context, &chosen.record, self.force).await
    }

    /// Refreshes each credential that can be refreshed, and leaves out the others. The failure of one does not stop the
    /// rest. `results` gets the result of each, whatever ends the call.
    ///
    /// # Errors
    /// Only if the person interrupts the call.
    pub async fn refresh_each(
        &self,
        all: Results<StoredChoice>,
        results: &mut Results<Refreshed>,
    ) -> Result<(), Error> {
        for (address, stored) in all {
            let result = match stored {
                Ok(stored) => self.refresh(&stored).await.map_err(Error::from),
                Err(error) => Err(error),
            };
            match result {
                // Credentials that never expire, and those removed meanwhile, are not reported.
                Err(Error::Refresh(RefreshError::NotRefreshable { .. } | RefreshError::Gone { .. })) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                result => results.push((address, result)),
            }
        }
        Ok(())
    }
}
