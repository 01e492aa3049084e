//! Storing a credential that a vendor has just given: it exists nowhere else. Recording that there is none.

use super::{CancelToken, LoginError};
use crate::{
    context::Context,
    credential::{Address, Credential, Metadata, Record},
    store::{Action, Outcome, SharedStore, Store, StoreError, retry_until_writable},
    ui::{Event, UiError},
};

/// Opens the store before the vendor issues anything, and makes sure that it can be written: a credential that cannot be
/// stored must not be requested.
pub(super) async fn open(context: &Context) -> Result<SharedStore, StoreError> {
    let store = context.prepared_store().await?;
    store.run(|store| store.prepare_change()).await?;
    Ok(store)
}

/// Stores a credential and reads it back, or returns it.
pub(super) async fn store_once(
    store: &SharedStore,
    address: &Address,
    credential: Credential,
    metadata: Metadata,
) -> Result<Record, Box<(Credential, Metadata)>> {
    let address = address.clone();
    let put = move |store: &mut Store| {
        put(store, &address, &credential, &metadata).map_err(|_| Box::new((credential, metadata)))
    };
    store.run(put).await
}

/// Stores a credential and reads it back. Retries for some minutes while the store cannot be written, unless the login is
/// cancelled.
pub(super) async fn store_with_retry(
    context: &Context,
    store: &SharedStore,
    address: &Address,
    credential: Credential,
    metadata: Metadata,
    cancel: &mut CancelToken,
) -> Result<Record, LoginError> {
    let address = address.clone();
    let put = move |store: &mut Store| put(store, &address, &credential, &metadata);
    let tell = |why: &StoreError| {
        context.ui().show(Event::Warning(&format!("cannot store the credential yet, trying again: {why}")));
    };
    let mut is_cancelled = false;
    let cancelled = async {
        cancel.requested().await;
        is_cancelled = true;
    };
    match retry_until_writable(store, put, tell, cancelled).await {
        Err(_) if is_cancelled => Err(UiError::Interrupted.into()),
        stored => stored.map_err(|source| LoginError::NotStored { source: Box::new(source) }),
    }
}

fn put(
    store: &mut Store,
    address: &Address,
    credential: &Credential,
    metadata: &Metadata,
) -> Result<Record, StoreError> {
    store.recorded_as(Action::Login, |store| store.put(address, credential, metadata))
}

/// Records a failure in the audit log, if there is a store: none is created for it. A failure to record it is not an error
/// of its own.
pub(super) fn audit_failure(context: &Context, action: Action, address: &Address, error: &LoginError) {
    if let Ok(Some(store)) = context.existing_store() {
        let _ = store.lock().audit(action, address, Outcome::Failed(error.code()));
    }
}
