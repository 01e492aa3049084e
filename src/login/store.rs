//! Storing a credential that a vendor has just given: it exists nowhere else.

use super::{CancelToken, LoginError};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{SharedStore, StoreError, retry_until_writable},
    ui::{Event, Ui, UiError},
};

/// Stores a credential and reads it back. Retries for some minutes while the store cannot be written, unless the login is
/// cancelled.
pub(super) async fn store_with_retry(
    store: &SharedStore,
    address: &Address,
    credential: &Credential,
    metadata: &Metadata,
    ui: &dyn Ui,
    cancel: &mut CancelToken,
) -> Result<Record, LoginError> {
    let put = || store.lock().put(address, credential, metadata);
    let tell = |why: &StoreError| {
        ui.show(Event::Warning(&format!("cannot store the credential yet, trying again: {why}")));
    };
    tokio::select! {
        biased;
        stored = retry_until_writable(put, tell) => stored.map_err(|source| LoginError::NotStored { source: Box::new(source) }),
        _ = cancel.requested() => Err(UiError::Interrupted.into()),
    }
}
