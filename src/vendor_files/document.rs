//! A vendor file in memory: seen as one tree whatever its format, and changed without losing the rest of it.

use std::{mem, ops::Deref};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{dotenv, json, toml, yaml};
use crate::{credential::wipe, provider::capture_map::Format};

/// A file's content, as its format has it.
pub(super) enum Document {
    Json(json::Tree),
    Yaml(yaml::Tree),
    Toml(toml::Tree),
    Dotenv(dotenv::Lines),
}

/// Where a text stops being of its format (line and column from 1), if that is known.
#[derive(Debug)]
pub(super) struct ParseError(pub(super) Option<(usize, usize)>);

/// Why a value cannot be put somewhere.
pub(super) type UnsupportedEdit = &'static str;

/// The way to a value is through one that has no keys.
pub(super) const NOT_A_MAP: UnsupportedEdit = "a value above it is not a map";

impl Document {
    /// Reads a file's text. An empty one is an empty document: the vendor's CLI has made it and not yet written it.
    pub(super) fn parse(format: Format, text: &str) -> Result<Self, ParseError> {
        Ok(match format {
            Format::Json => Self::Json(json::Tree::parse(text)?),
            Format::Yaml => Self::Yaml(yaml::Tree::parse(text)?),
            Format::Toml => Self::Toml(toml::Tree::parse(text)?),
            Format::Dotenv => Self::Dotenv(dotenv::Lines::parse(text)?),
        })
    }

    /// The whole as one tree. Wiped when it is dropped.
    pub(super) fn view(&self) -> View {
        View(match self {
            Self::Json(tree) => tree.view(),
            Self::Yaml(tree) => tree.view(),
            Self::Toml(tree) => tree.view(),
            Self::Dotenv(lines) => lines.view(),
        })
    }

    /// Puts a value at a path, making the maps above it where they are missing.
    pub(super) fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        match self {
            Self::Json(tree) => tree.set(path, value),
            Self::Yaml(tree) => tree.set(path, value),
            Self::Toml(tree) => tree.set(path, value),
            Self::Dotenv(lines) => lines.set(path, value),
        }
    }

    /// Takes the value at a path away, if it is there.
    pub(super) fn remove(&mut self, path: &[String]) {
        match self {
            Self::Json(tree) => tree.remove(path),
            Self::Yaml(tree) => tree.remove(path),
            Self::Toml(tree) => tree.remove(path),
            Self::Dotenv(lines) => lines.remove(path),
        }
    }

    /// The text to write.
    pub(super) fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        match self {
            Self::Json(tree) => tree.render(),
            Self::Yaml(tree) => tree.render(),
            Self::Toml(tree) => Ok(tree.render()),
            Self::Dotenv(lines) => Ok(lines.render()),
        }
    }
}

/// A tree that may hold secrets.
pub(super) struct View(Value);

impl View {
    /// A tree that is to be wiped.
    pub(super) fn of(value: Value) -> Self {
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
