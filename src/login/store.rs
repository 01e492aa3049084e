//! Storing what a vendor has given: it is nowhere else.

use super::{Interrupt, LoginError};
use crate::{
    credential::{Address, Credential, Metadata, Record},
    store::{SharedStore, StoreError, patiently},
    ui::{Event, Ui, UiError},
};

/// Stores it and reads it back. A store that cannot be written now is tried for some minutes, unless somebody wants out.
pub(super) async fn keep(
    store: &SharedStore,
    address: &Address,
    credential: &Credential,
    metadata: &Metadata,
    ui: &dyn Ui,
    interrupt: &mut Interrupt,
) -> Result<Record, LoginError> {
    let put = || store.lock().put(address, credential, metadata);
    let tell = |why: &StoreError| {
        ui.show(Event::Warning(&format!("what the vendor gave cannot be stored yet, trying on: {why}")));
    };
    tokio::select! {
        biased;
        stored = patiently(put, tell) => stored.map_err(|source| LoginError::NotStored { source: Box::new(source) }),
        _ = interrupt.asked() => Err(UiError::Interrupted.into()),
    }
}
