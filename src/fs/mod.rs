//! Files and directories: which to trust, advisory locks, removing a tree.

pub(crate) mod lock;
pub(crate) mod remove_tree;
pub mod trust;
