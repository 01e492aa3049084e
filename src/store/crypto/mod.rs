//! Sealing credentials with the data key, and giving a store its first key or another one.

pub(in crate::store) mod initialize;
pub(in crate::store) mod rekey;
pub(in crate::store) mod seal;
mod seal_all;
