//! Native logins with real parts: an OpenID provider, a browser, and small hostile servers, all on the loopback.
//! None of it needs a container engine.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod browser;
mod device;
mod dialects;
mod discovery;
mod grants;
mod hostile;
mod keeping;
mod lint;
mod memory;
mod paste;
mod refused;
mod renewal;
mod tls;
