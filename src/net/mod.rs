//! Endpoints and TLS roots, for engines and authorization servers.

pub mod endpoint;
pub(crate) mod tls_roots;
