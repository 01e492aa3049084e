//! A vendor file in memory: one tree for all formats, edited without losing the rest of the file.

use std::{mem, ops::Deref};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    dotenv,
    error::CaptureError,
    format_error::{ParseError, UnsupportedEdit},
    json, toml, yaml,
};
use crate::{credential::wipe, provider::capture_map::Format};

/// The parsed content of a file.
pub(super) enum Document {
    Json(json::Tree),
    Yaml(yaml::Tree),
    Toml(toml::Tree),
    Dotenv(dotenv::Lines),
}

impl Document {
    /// Parses the bytes of the file that errors call `display`.
    pub(super) fn from_bytes(format: Format, content: &[u8], display: &str) -> Result<Self, CaptureError> {
        let malformed =
            |ParseError(position)| CaptureError::Malformed { file: display.to_owned(), format, position };
        let text = std::str::from_utf8(content).map_err(|_| malformed(ParseError(None)))?;
        Self::parse(format, text).map_err(malformed)
    }

    /// Parses a text. An empty text is an empty document: the vendor's CLI has created the file and not yet written it.
    pub(super) fn parse(format: Format, text: &str) -> Result<Self, ParseError> {
        Ok(match format {
            Format::Json => Self::Json(json::Tree::parse(text)?),
            Format::Yaml => Self::Yaml(yaml::Tree::parse(text)?),
            Format::Toml => Self::Toml(toml::Tree::parse(text)?),
            Format::Dotenv => Self::Dotenv(dotenv::Lines::parse(text)?),
        })
    }

    /// Copies the whole document into one tree, which is wiped when dropped.
    pub(super) fn view(&self) -> View {
        View(match self {
            Self::Json(tree) => tree.view(),
            Self::Yaml(tree) => tree.view(),
            Self::Toml(tree) => tree.view(),
            Self::Dotenv(lines) => lines.view(),
        })
    }

    /// Puts a value at a path, and creates missing maps above it.
    pub(super) fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        match self {
            Self::Json(tree) => tree.set(path, value),
            Self::Yaml(tree) => tree.set(path, value),
            Self::Toml(tree) => tree.set(path, value),
            Self::Dotenv(lines) => lines.set(path, value),
        }
    }

    /// Removes the value at a path, if it exists.
    pub(super) fn remove(&mut self, path: &[String]) {
        match self {
            Self::Json(tree) => tree.remove(path),
            Self::Yaml(tree) => tree.remove(path),
            Self::Toml(tree) => tree.remove(path),
            Self::Dotenv(lines) => lines.remove(path),
        }
    }

    /// Renders the text of the file.
    pub(super) fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        match self {
            Self::Json(tree) => tree.render(),
            Self::Yaml(tree) => tree.render(),
            Self::Toml(tree) => Ok(tree.render()),
            Self::Dotenv(lines) => Ok(lines.render()),
        }
    }
}

/// A tree that may hold secrets, and is wiped when dropped.
pub(super) struct View(Value);

impl View {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }
}

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
