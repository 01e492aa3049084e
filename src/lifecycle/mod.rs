//! What becomes of a credential once it is there.

pub mod resolve;
