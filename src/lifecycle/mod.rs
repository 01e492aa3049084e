//! What becomes of a credential once it is there.

pub mod alive;
pub mod commands;
pub mod fill;
pub mod leave;
pub mod overview;
pub mod refresh;
pub mod renewals;
pub mod request;
pub mod resolve;
pub mod stale;
pub mod state;
mod turn;
pub mod undisturbed;
mod variable;
