//! The database file: creating, recognising, opening, migrating, changing and checking it.

pub(in crate::store) mod change;
pub(in crate::store) mod check;
pub(in crate::store) mod connect;
pub(in crate::store) mod create;
pub(in crate::store) mod erase;
pub(in crate::store) mod identify;
pub(in crate::store) mod journal;
pub(in crate::store) mod migrate;
pub(in crate::store) mod permissions;
pub(in crate::store) mod read_only;
