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
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Parsed(Node),
    /// A bundled file is parsed a second time only where its fields are needed one by one, which is seldom.
    Bundled(&'static str),
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
        Self { source: BUNDLED.to_owned(), content: Content::Bundled(text) }
    }

    pub(super) fn parsed(source: &str, node: Node) -> Self {
        Self { source: source.to_owned(), content: Content::Parsed(node) }
    }

    pub(super) fn is_bundled(&self) -> bool {
        matches!(self.content, Content::Bundled(_))
    }

    pub(super) fn node(&self) -> Cow<'_, Node> {
        match &self.content {
            Content::Parsed(node) => Cow::Borrowed(node),
            Content::Bundled(text) => Cow::Owned(Node::parse(BUNDLED, text).unwrap_or_default()),
        }
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
        merged.merge(layer.node().into_owned());
        merged
    })
}
