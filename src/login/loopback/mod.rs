//! Redirects of a browser to a port on this machine's loopback: used by vendor CLIs' logins and by our own OAuth flows.

mod callback;
mod port;

use subtle::ConstantTimeEq as _;

pub use callback::{ExpectedCallback, looks_like_redirect};
pub use port::{PortError, PortUnavailable, listen};

/// The number of connections that a port accepts at once; no browser opens as many.
pub(in crate::login) const MAX_CONNECTIONS: usize = 64;

/// Compares two texts in a time that depends on their lengths only.
pub(in crate::login) fn constant_time_eq(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}
