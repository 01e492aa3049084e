//! The files that a provider is merged from, and which of them each field comes from.

use std::{borrow::Cow, collections::BTreeMap, ops::Deref};

use serde_json::Value;

use super::Descriptor;
use crate::config::{ReferenceError, env_value, yaml::Node};

/// The source of a bundled descriptor.
const BUNDLED: &str = "bundled";

/// A provider: its merged descriptor, and the files that it is merged from.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) descriptor: Descriptor,
    pub(super) layers: Vec<Layer>,
}

/// A file that a provider is merged from.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file's path, or `bundled`.
    pub source: String,
    pub(super) text: Cow<'static, str>,
}

/// A provider's descriptor as one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The whole descriptor.
    pub value: Value,
    /// The source of each field, by place (`api_key.env_var`): `bundled` or a file's path.
    pub sources: BTreeMap<String, String>,
}

impl Layer {
    pub(super) fn bundled(text: &'static str) -> Self {
        Self { source: BUNDLED.to_owned(), text: text.into() }
    }

    pub(super) fn is_bundled(&self) -> bool {
        self.source == BUNDLED
    }

    /// Parses the text once more. Fields are needed one by one only to merge, to show and to report, which is seldom.
    pub(super) fn node(&self) -> Node {
        Node::parse(&self.source, &self.text).unwrap_or_default()
    }
}

impl Deref for Provider {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl Provider {
    /// The files that the provider is merged from. A later one overrides an earlier one field by field.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Merges the files to one document and tells where each field comes from.
    pub fn merged(&self) -> Merged {
        let node = merge(&self.layers);
        let sources = node.sources().into_iter().map(|(place, source)| (place, source.to_owned()));
        Merged { value: node.to_value(), sources: sources.collect() }
    }

    /// Resolves `env:NAME` in the environment of the login container.
    ///
    /// # Errors
    /// [`ReferenceError`] names the field and the variable.
    pub fn with_values(&self) -> Result<Self, ReferenceError> {
        let mut provider = self.clone();
        for (name, value) in &mut provider.descriptor.env {
            *value = env_value::resolve(&format!("env.{name} of provider {}", self.name), value)?;
        }
        Ok(provider)
    }

    /// Whether the alias comes from the bundled descriptor.
    pub(super) fn is_bundled_alias(&self, alias: &str) -> bool {
        let [first, own @ ..] = &self.layers[..] else { return false };
        let has_alias = |layer: &Layer| {
            let value = layer.node().to_value();
            value["aliases"].as_array().is_some_and(|all| all.iter().any(|one| one == alias))
        };
        first.is_bundled() && (own.is_empty() || has_alias(first))
    }
}

/// Merges layers, from the lowest to the highest.
pub(super) fn merge(layers: &[Layer]) -> Node {
    layers.iter().fold(Node::default(), |mut merged, layer| {
        merged.merge(layer.node());
        merged
    })
}
