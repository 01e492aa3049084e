//! The state of a credential's refresh: its last attempt, and how long to wait before the next.

pub(in crate::store) mod attempt;
pub(in crate::store) mod backoff;
