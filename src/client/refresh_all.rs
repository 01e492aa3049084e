//! Refreshing all stored credentials.

use crate::{
    Error,
    context::Context,
    credential::{Address, Name, Record},
    refresh::{Refresh, RefreshError, Refreshed},
    store::{Listing, StoreError, Unreadable},
};

/// The result for each of several credentials.
pub type Results<T> = Vec<(Address, Result<T, Error>)>;

/// The stored credentials of a set and a profile, or all; and the rows that have no valid address. A credential that
/// cannot be opened is an error of its own.
///
/// # Errors
/// [`StoreError`]
pub fn all_stored(
    context: &Context,
    set: Option<&Name>,
    profile: Option<&Name>,
) -> Result<(Results<Record>, Vec<Unreadable>), StoreError> {
    let Some(store) = context.existing_store()? else { return Ok(Default::default()) };
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
            Ok(Some(record)) => all.push((address, Ok(record))),
            Ok(None) => {}
            Err(error @ StoreError::NotOpened { .. }) => all.push((address, Err(error.into()))),
            Err(error) => return Err(error),
        }
    }
    Ok((all, nameless))
}

/// Refreshes one of [all stored credentials](all_stored). `None` for one that is not reported: it cannot be refreshed, or
/// was removed meanwhile.
pub async fn refresh_stored(
    context: &Context,
    stored: Result<Record, Error>,
    force: bool,
) -> Option<Result<Refreshed, Error>> {
    let refreshed = match stored {
        Ok(record) => Refresh::now(context, &record, force).await,
        Err(error) => return Some(Err(error)),
    };
    match refreshed {
        Err(RefreshError::NotRefreshable { .. } | RefreshError::Gone { .. }) => None,
        refreshed => Some(refreshed.map_err(Error::from)),
    }
}
