//! The parts of the stand-ins: they make credentials, keep a journal of requests, and serve on loopback.

pub mod device;
pub mod journal;
pub mod listen;
pub mod mint;
pub mod page;
pub mod pkce;
pub mod tls;
