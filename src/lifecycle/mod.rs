//! What becomes of a credential once it is there.

pub mod alive;
pub mod leave;
pub mod refresh;
pub mod resolve;
mod turn;
mod variable;
