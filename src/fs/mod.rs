//! Files and directories: private directories, bounded reads, advisory locks, clean-up.

pub(crate) mod lock;
pub mod private;
pub mod read;
pub(crate) mod remove_tree;
pub mod stale;
pub mod unwritable;
