//! Network vocabulary that engines and authorization servers share: endpoints and TLS roots.

pub mod endpoint;
pub(crate) mod tls_roots;
