//! Redirects of a browser to a port on this machine's loopback: used by vendor CLIs' logins and by our own OAuth flows.

mod callback;
mod page;
mod port;
mod server;

use subtle::ConstantTimeEq as _;

pub use callback::{ExpectedCallback, looks_like_redirect};
pub(in crate::login) use page::{Page, answer};
pub use port::{LoopbackPort, PortError, PortUnavailable};
pub(in crate::login) use server::Server;

/// Compares two texts in a time that depends on their lengths only.
pub(in crate::login) fn constant_time_eq(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}
