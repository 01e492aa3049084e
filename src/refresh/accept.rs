//! Accepting the tokens that were set aside.

use super::{
    LONGEST, RefreshError,
    lock::RefreshLock,
    precheck::{busy, known_failure, removed, set_aside},
};
use crate::{
    context::Context,
    credential::{Address, Credential, Record},
    store::{Action, RefreshAttempt, Store, Swap},
};

/// Replaces the tokens of a login by those that were set aside for it: a person has decided that they are right. A refresh in
/// flight is waited for.
///
/// # Errors
/// [`RefreshError::NothingSetAside`]; [`RefreshError::OutcomeUnknown`] if the login was restored from a backup that is older
/// than another login, because its refresh token may be spent; [`RefreshError::Store`].
pub async fn accept(context: &Context, address: &Address) -> Result<Record, RefreshError> {
    let store = context.prepared_store().await?;
    let Some(_lock) = RefreshLock::acquire(&store, address, LONGEST).await? else {
        let address = address.clone();
        return Err(store.run(move |store| busy(store, &address)).await);
    };
    let address = address.clone();
    store.run(move |store| swap(store, &address)).await
}

fn swap(store: &mut Store, address: &Address) -> Result<Record, RefreshError> {
    let nothing = || RefreshError::NothingSetAside { address: Box::new(address.clone()) };
    let seen = store.get(address)?.ok_or_else(nothing)?;
    let (tokens, metadata) = set_aside(&seen).ok_or_else(nothing)?;
    if let Some(attempt) = store.attempt(address)?.filter(RefreshAttempt::is_by_restore) {
        return Err(known_failure(&seen, attempt));
    }
    let accepted = Credential::OAuth(tokens);
    let swap = |store: &mut Store| store.swap(address, seen.version, &accepted, &metadata);
    match store.recorded_as(Action::Accept, swap)? {
        Swap::Swapped(record) => Ok(record),
        Swap::Lost(Some(_)) => Err(nothing()),
        Swap::Lost(None) => Err(removed(&seen)),
    }
}
