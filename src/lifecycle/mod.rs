//! What becomes of a credential once it is there.

pub mod fill;
pub mod overview;
pub mod request;
pub mod resolve;
pub mod stale;
pub mod state;
