//! Reading credentials from vendor files and writing them back, both by the descriptor's
//! [capture map](crate::provider::capture_map).
//!
//! Writing into an existing file keeps the vendor's other fields. JSON keeps their order and spelling, TOML and
//! dotenv keep comments and layout as well; YAML keeps values and order, and loses comments and anchors.

mod choice;
mod convert;
mod copy;
mod derive;
mod directory;
mod document;
mod dotenv;
mod edit;
mod error;
mod extract;
mod json;
mod leftover;
mod names;
mod part_value;
mod read;
mod remove;
mod replace;
#[cfg(test)]
mod tests;
mod toml;
mod vendor_dir;
mod write;
mod yaml;

pub use choice::Choice;
pub use copy::put_copy;
pub use derive::derive_metadata;
pub(crate) use directory::MAX_SIZE;
pub use error::{CaptureError, Refusal};
pub use names::names;
pub use read::{Captured, read};
pub use remove::{Removed, remove};
pub use vendor_dir::VendorDir;
pub use write::write;
