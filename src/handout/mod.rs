//! Handing credentials out to the programs that use them.

pub mod headers;
