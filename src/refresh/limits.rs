//! How long a renewal may take from when its turn has come. Whoever waits for one waits longer: for nobody who is well.

use std::time::Duration;

use crate::{
    login::cli::refresh,
    oauth::HTTP_LIMIT,
    store::{BUSY_TIMEOUT, RETRY_LIMIT},
};

/// Limit of the writes before the token is sent and after its answer is stored. Each of them may wait for another
/// process that writes.
const RECORDS: Duration = BUSY_TIMEOUT.saturating_mul(5);
const STORE: Duration = RECORDS.saturating_add(RETRY_LIMIT);

/// At a server.
pub(super) const BY_SERVER: Duration = HTTP_LIMIT.saturating_add(STORE);
/// By the vendor's CLI, unless its image is built first.
pub(super) const BY_CLI: Duration = refresh::LONGEST.saturating_add(STORE);
/// In whichever way.
pub(crate) const LONGEST: Duration = longer(BY_SERVER, BY_CLI);

const fn longer(a: Duration, b: Duration) -> Duration {
    if a.as_nanos() > b.as_nanos() { a } else { b }
}
