//! Failed logins and imports in the audit log.

use crate::{
    context::Context,
    credential::Address,
    store::{Action, Outcome},
};

/// Records a failure, if there is a store: none is created for it. A failure to record it is not an error of its own.
pub(super) fn audit_failure(context: &Context, action: Action, address: &Address, code: &'static str) {
    if let Ok(Some(store)) = context.existing_store() {
        let _ = store.lock().audit(action, address, Outcome::Failed(code));
    }
}
