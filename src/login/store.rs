//! Storing what a vendor has given: it is nowhere else.

use super::{CancelToken, LoginError};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{SharedStore, StoreError, retry_until_writable},
    ui::{Event, Ui, UiError},
};

/// Stores it and reads it back. A store that cannot be written now is tried for some minutes, unless somebody wants out.
pub(super) async fn store_with_retry(
    store: &SharedStore,
    address: &Address,
    credential: &Credential,
    metadata: &Metadata,
    ui: &dyn Ui,
    interrupt: &mut CancelToken,
) -> Result<Record, LoginError> {
    let put = || store.lock().put(address, credential, metadata);
    let tell = |why: &StoreError| {
        ui.show(Event::Warning(&format!("what the vendor gave cannot be stored yet, trying on: {why}")));
    };
    tokio::select! {
        biased;
        stored = retry_until_writable(put, tell) => stored.map_err(|source| LoginError::NotStored { source: Box::new(source) }),
        _ = interrupt.requested() => Err(UiError::Interrupted.into()),
    }
}
