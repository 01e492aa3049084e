//! Stored credentials: reading, writing, removing and listing their rows.

pub(in crate::store) mod import_progress;
pub(in crate::store) mod read;
pub(in crate::store) mod remove;
pub(in crate::store) mod row;
pub(in crate::store) mod write;
