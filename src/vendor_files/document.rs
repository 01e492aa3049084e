//! A vendor file in memory: one tree for all formats, edited without losing the rest of the file.

use std::{mem, ops::Deref};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{dotenv, error::CaptureError, json, toml, yaml};
use crate::{credential::wipe, provider::capture_map::Format};

/// Line and column, both from 1, of a syntax error, if they are known.
pub(super) type ErrorPosition = Option<(usize, usize)>;

/// The reason why a format cannot hold a value.
pub(super) type UnsupportedEdit = &'static str;

/// The refusal of a path that leads through a value without keys.
pub(super) const NOT_A_MAP: UnsupportedEdit = "a value above it is not a map";

/// The parsed content of a file.
pub(super) trait Document {
    /// Copies the whole document into one tree.
    fn view(&self) -> View;

    /// Puts a value at a path, and creates missing maps above it.
    fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit>;

    /// Removes the value at a path, if it exists.
    fn remove(&mut self, path: &[String]);

    /// Renders the text of the file.
    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit>;
}

/// Parses a text. An empty text is an empty document: the vendor's CLI has created the file and not yet written it.
pub(super) fn parse(format: Format, text: &str) -> Result<Box<dyn Document>, ErrorPosition> {
    Ok(match format {
        Format::Json => Box::new(json::Tree::parse(text)?),
        Format::Yaml => Box::new(yaml::Tree::parse(text)?),
        Format::Toml => Box::new(toml::Tree::parse(text)?),
        Format::Dotenv => Box::new(dotenv::Lines::parse(text)?),
    })
}

/// Parses the bytes of the file that errors call `display`.
pub(super) fn parse_file(
    format: Format,
    content: &[u8],
    display: &str,
) -> Result<Box<dyn Document>, CaptureError> {
    let text = std::str::from_utf8(content).map_err(|_| None);
    text.and_then(|text| parse(format, text)).map_err(|position| CaptureError::Malformed {
        file: display.to_owned(),
        format,
        position,
    })
}

/// A tree that may hold secrets, and is wiped when dropped.
pub(super) struct View(pub(super) Value);

impl Deref for View {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for View {
    fn drop(&mut self) {
        wipe(mem::take(&mut self.0));
    }
}
