//! Logins and imports that came to nothing, in the audit log.

use crate::{
    config::Paths,
    credential::Address,
    store::{Action, Outcome, SharedStore, Store},
};

/// Records one in the store that is given, or else in that of the data directory, if there is one: none is made to say
/// that nothing was stored. Nor is it an error of its own that it cannot be recorded.
pub(super) fn audit_failure(
    paths: &Paths,
    store: Option<&SharedStore>,
    action: Action,
    address: &Address,
    code: &'static str,
) {
    let outcome = Outcome::Failed(code);
    if let Some(store) = store {
        let _ = store.lock().audit(action, address, outcome);
    } else if let Ok(Some(store)) = Store::open_existing(paths) {
        let _ = store.audit(action, address, outcome);
    }
}
