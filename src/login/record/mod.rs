//! Login locks and records: one login at a time for one credential, and the traces of logins that were killed.
//!
//! A login takes the [`LoginLock`] of its address. Before it creates anything, [`LoginLock::record_engine`] turns the
//! lock into a [`LoginRecord`], which stays on the disk until the login has cleaned up. A record whose lock is free
//! belongs to a login that was killed: [`find_abandoned`] finds it.

mod abandoned;
mod holder;
mod lock;

pub use abandoned::{LoginRecord, find_abandoned};
pub use holder::Holder;
pub use lock::LoginLock;
