//! A parsed YAML value in which each value knows the file, line and column that it comes from.

use std::{fmt, sync::Arc};

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use serde_yaml::{Location, Spanned};

use super::{Finding, Problem, from_str, words};

/// A value, and its place in a file: that of its key, or of the value itself in a list.
#[derive(Clone, Debug, Default)]
pub struct Node {
    file: Arc<str>,
    at: (u64, u64),
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(IndexMap<String, Node>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Mapping(IndexMap::new())
    }
}

impl Node {
    /// Parses a document. An empty one is an empty mapping.
    ///
    /// # Errors
    /// The first problem of the text.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problem> {
        let mut root: Self = from_str(text).map_err(|error| words::problem(file, &error))?;
        if root.is_null() {
            root = Self::default();
        }
        root.at = (1, 1);
        root.set_file(&file.into());
        Ok(root)
    }

    fn set_file(&mut self, file: &Arc<str>) {
        self.file = Arc::clone(file);
        match &mut self.content {
            Content::Mapping(entries) => entries.values_mut().for_each(|node| node.set_file(file)),
            Content::List(items) => items.iter_mut().for_each(|node| node.set_file(file)),
            Content::Scalar(_) => {}
        }
    }

    fn new(content: Content) -> Self {
        Self { content, ..Self::default() }
    }

    fn scalar(value: impl Into<Value>) -> Self {
        Self::new(Content::Scalar(value.into()))
    }

    fn at(self, location: Location) -> Self {
        Self { at: (location.line(), location.column()), ..self }
    }

    fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.content, Content::Mapping(_))
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The value without its places.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Mapping(entries) => {
                entries.iter().map(|(key, node)| (key.as_str(), node.to_value())).collect()
            }
        }
    }

    /// Merges another value over this one: mappings key by key, where null removes the key. Any other value
    /// replaces the one below.
    pub fn merge(&mut self, above: Self) {
        match (&mut self.content, above.content) {
            (Content::Mapping(below), Content::Mapping(entries)) => {
                (self.file, self.at) = (above.file, above.at);
                for (key, node) in entries {
                    match below.get_mut(&key) {
                        _ if node.is_null() => drop(below.shift_remove(&key)),
                        Some(old) => old.merge(node),
                        None => drop(below.insert(key, node)),
                    }
                }
            }
            (_, content) => *self = Self { content, ..above },
        }
    }

    /// The file of each field, by place (`api_key.env_var`). A list is one field.
    pub fn sources(&self) -> Vec<(String, &str)> {
        let mut sources = Vec::new();
        if let Content::Mapping(entries) = &self.content {
            entries.iter().for_each(|(key, node)| node.add_sources(key.clone(), &mut sources));
        }
        sources
    }

    fn add_sources<'a>(&'a self, place: String, sources: &mut Vec<(String, &'a str)>) {
        match &self.content {
            Content::Mapping(entries) if !entries.is_empty() => {
                entries.iter().for_each(|(key, node)| node.add_sources(format!("{place}.{key}"), sources));
            }
            _ => sources.push((place, &self.file)),
        }
    }

    /// A problem at a place such as `image.name` or `callback_ports[0]`. If the file does not have the place,
    /// the nearest one above it is reported.
    pub fn problem(&self, place: &str, message: impl Into<String>) -> Problem {
        let at = self.locate(place, &self.file).unwrap_or((1, 1));
        Problem { file: self.file.to_string(), at: Some(at), message: message.into() }
    }

    pub(super) fn finding(&self, finding: &Finding) -> Problem {
        self.problem(&finding.path, format!("{}: {}", finding.path, finding.message))
    }

    /// Finds the deepest value on the way to `place` that comes from `file`.
    fn locate(&self, place: &str, file: &str) -> Option<(u64, u64)> {
        let deeper = self.step(place).and_then(|(at, rest)| match &self.content {
            Content::Mapping(entries) => entries[at].locate(rest, file),
            Content::List(items) => items[at].locate(rest, file),
            Content::Scalar(_) => None,
        });
        deeper.or_else(|| (*self.file == *file).then_some(self.at))
    }

    /// Removes the value at a place. Returns whether it was there.
    pub(super) fn remove(&mut self, place: &str) -> bool {
        let Some((at, rest)) = self.step(place) else { return false };
        match &mut self.content {
            Content::Mapping(entries) if rest.is_empty() => entries.shift_remove_index(at).is_some(),
            Content::Mapping(entries) => entries[at].remove(rest),
            Content::List(items) if rest.is_empty() => items.drain(at..=at).next().is_some(),
            Content::List(items) => items[at].remove(rest),
            Content::Scalar(_) => false,
        }
    }

    /// The position of the value that the first part of `place` leads to, and the rest of `place`.
    fn step<'a>(&self, place: &'a str) -> Option<(usize, &'a str)> {
        match &self.content {
            Content::Mapping(entries) => {
                let place = place.strip_prefix('.').unwrap_or(place);
                let keys = entries.keys().enumerate();
                let matching = keys
                    .filter_map(|(at, key)| Some((at, place.strip_prefix(key.as_str())?)))
                    .filter(|(_, rest)| rest.is_empty() || rest.starts_with(['.', '[']));
                // A key may contain a dot: the longest one that fits is meant.
                matching.min_by_key(|(_, rest)| rest.len())
            }
            Content::List(items) => {
                let (index, rest) = place.strip_prefix('[')?.split_once(']')?;
                index.parse().ok().filter(|at| *at < items.len()).map(|at| (at, rest))
            }
            Content::Scalar(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = IndexMap::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            entries.insert(key.value, map.next_value::<Node>()?.at(key.referenced));
        }
        Ok(Node::new(Content::Mapping(entries)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Node>>()? {
            items.push(item.value.at(item.referenced));
        }
        Ok(Node::new(Content::List(items)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::scalar(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::scalar(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::scalar(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::scalar(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::scalar(number))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::scalar(()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged() -> Node {
        let mut node = Node::parse("below", "a: 1\nb: {c: 2, d: 3}\ne: [1]\n").expect("below");
        node.merge(Node::parse("above", "b:\n  d: {f: 4}\ne: [2]\na: null\n").expect("above"));
        node
    }

    #[test]
    fn merge_replaces_values_and_null_removes_them() {
        assert_eq!(merged().to_value(), json!({"b": {"c": 2, "d": {"f": 4}}, "e": [2]}));
    }

    #[test]
    fn sources_name_the_file_of_each_field() {
        let merged = merged();
        let mut sources: Vec<_> = merged.sources();
        sources.sort();
        assert_eq!(
            sources,
            [("b.c".to_owned(), "below"), ("b.d.f".to_owned(), "above"), ("e".to_owned(), "above")]
        );
    }

    #[test]
    fn problem_of_a_merged_value_is_in_the_last_file() {
        let merged = merged();
        for (place, at) in [("b.d.f", (2, 7)), ("b.c", (1, 1)), ("e[0]", (3, 5)), ("a", (1, 1))] {
            let problem = merged.problem(place, "wrong");
            assert_eq!((problem.file.as_str(), problem.at), ("above", Some(at)), "{place}");
        }
    }

    #[test]
    fn key_with_a_dot_is_found() {
        let node = Node::parse("f", "a: {x: 1}\n\na.json: {x: 2}\n").expect("YAML");
        assert_eq!(node.problem("a.json.x", "wrong").at, Some((3, 10)));
    }
}
