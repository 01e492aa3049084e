//! From a credential to what uses it.

pub mod headers;
