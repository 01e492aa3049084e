//! Vendor files and credentials, in both directions by the same map: the descriptor's
//! [`capture`](crate::provider::descriptor::Descriptor::capture).
//!
//! Writing into a file that is there keeps the vendor's other fields. JSON keeps their order and spelling, TOML and
//! dotenv keep comments and layout as well; YAML keeps values and order, and loses comments and anchors.

mod convert;
mod derive;
mod directory;
mod document;
mod dotenv;
mod edit;
mod error;
mod extract;
mod json;
mod leftover;
mod location;
mod map;
mod names;
mod pointer;
mod read;
mod remove;
mod replace;
#[cfg(test)]
mod tests;
mod toml;
mod write;
mod yaml;

pub use derive::derive_metadata;
pub use directory::Owner;
pub use error::{CaptureError, Refusal};
pub use names::names;
pub use read::{Captured, read};
pub use remove::{Removed, remove};
pub use write::write;

use document::{Document, ParseError};

use crate::provider::capture_map::{CaptureEntry, Format};

/// What is wrong with an entry of a capture map, for lint.
pub fn check(entry: &CaptureEntry) -> Result<(), CaptureError> {
    location::Location::of(&entry.file)?;
    map::PartMap::of(entry).map(drop)
}

fn parse(format: Format, content: &[u8], shown: &str) -> Result<Document, CaptureError> {
    let malformed =
        |ParseError(position)| CaptureError::Malformed { file: shown.to_owned(), format, position };
    let text = std::str::from_utf8(content).map_err(|_| malformed(ParseError(None)))?;
    Document::parse(format, text).map_err(malformed)
}
