//! What becomes of a credential once it is there.

pub mod alive;
pub mod refresh;
pub mod resolve;
