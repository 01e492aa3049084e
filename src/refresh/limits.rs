//! Time limits of a refresh, counted from when the refresh lock is held. Others wait at least that long, so that they never
//! give up on a healthy refresh.

use std::time::Duration;

use crate::{
    login::cli::refresh,
    oauth::HTTP_LIMIT,
    store::{BUSY_TIMEOUT, RETRY_LIMIT},
};

/// The writes before the token is sent and after the answer is stored, each of which may wait for another writer.
const RECORDS: Duration = BUSY_TIMEOUT.saturating_mul(5);
/// All writes, including the retries of storing the answer.
const STORE: Duration = RECORDS.saturating_add(RETRY_LIMIT);

/// The limit of a refresh at a server.
pub(super) const BY_SERVER: Duration = HTTP_LIMIT.saturating_add(STORE);
/// The limit of a refresh with the vendor's CLI, unless its image is built first.
pub(super) const BY_CLI: Duration = refresh::LONGEST.saturating_add(STORE);
/// The limit of any refresh.
pub(crate) const LONGEST: Duration = longer(BY_SERVER, BY_CLI);

const fn longer(a: Duration, b: Duration) -> Duration {
    if a.as_nanos() > b.as_nanos() { a } else { b }
}
