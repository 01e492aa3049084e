//! Storing a credential that a vendor has just given: it exists nowhere else.

use super::{CancelToken, LoginError};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{Action, SharedStore, Store, StoreError, retry_until_writable},
    ui::{Event, Ui, UiError},
};

/// Stores a credential and reads it back. Retries for some minutes while the store cannot be written, unless the login is
/// cancelled.
pub(super) async fn store_with_retry(
    store: &SharedStore,
    address: &Address,
    credential: Credential,
    metadata: Metadata,
    ui: &dyn Ui,
    cancel: &mut CancelToken,
) -> Result<Record, LoginError> {
    let address = address.clone();
    let put = move |store: &mut Store| {
        store.recorded_as(Action::Login, |store| store.put(&address, &credential, &metadata))
    };
    let tell = |why: &StoreError| {
        ui.show(Event::Warning(&format!("cannot store the credential yet, trying again: {why}")));
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
