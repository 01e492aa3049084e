//! Sealing what is stored under the data key.

pub(in crate::store) mod initialize;
pub(in crate::store) mod ledger;
pub(in crate::store) mod rekey;
pub(in crate::store) mod seal;
