//! JSON files. Edits keep order, unknown fields, the spelling of every untouched value (`1.10`, or a number that fits no
//! Rust type), and `//` comment lines above the text, which some vendors write.

use indexmap::IndexMap;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Map, Value, ser::PrettyFormatter, value::RawValue};
use zeroize::Zeroizing;

use super::document::{Document, ErrorPosition, NOT_A_MAP, UnsupportedEdit, View};

const MAX_DEPTH: usize = 64;

/// A parsed JSON text with its layout.
pub(super) struct Tree {
    comment: String,
    root: Node,
    indent: Option<String>,
    final_newline: bool,
}

enum Node {
    Object(IndexMap<String, Node>),
    Array(Vec<Node>),
    /// A string, number, `true`, `false` or `null`, as written.
    Leaf(Zeroizing<String>),
}

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Self, ErrorPosition> {
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        let comment: String = text.split_inclusive('\n').take_while(is_comment).collect();
        let (lines, text) = (comment.matches('\n').count(), &text[comment.len()..]);
        if text.trim().is_empty() {
            let root = Node::Object(IndexMap::new());
            return Ok(Self { comment, root, indent: Some("  ".to_owned()), final_newline: true });
        }
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| Some((lines + e.line(), e.column())))?;
        let inside = raw.get().split_once('\n').map(|(_, rest)| rest);
        let indent = inside.map(|rest| rest.chars().take_while(|c| matches!(c, ' ' | '\t')).collect());
        let final_newline = text.ends_with('\n');
        Ok(Self { comment, root: Node::parse(raw, MAX_DEPTH).ok_or(None)?, indent, final_newline })
    }
}

impl Document for Tree {
    fn view(&self) -> View {
        View(self.root.view())
    }

    fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        *self.root.at(path)? = Node::from_value(value);
        Ok(())
    }

    fn remove(&mut self, path: &[String]) {
        let Some((last, above)) = path.split_last() else { return };
        let node = above.iter().try_fold(&mut self.root, |node, segment| node.child(segment));
        if let Some(Node::Object(map)) = node {
            map.shift_remove(last);
        }
    }

    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        let mut text = Zeroizing::new(self.comment.clone().into_bytes());
        let done = match &self.indent {
            Some(indent) => {
                let layout = PrettyFormatter::with_indent(indent.as_bytes());
                self.root.serialize(&mut serde_json::Serializer::with_formatter(&mut *text, layout))
            }
            None => serde_json::to_writer(&mut *text, &self.root),
        };
        if self.final_newline {
            text.push(b'\n');
        }
        let text = done.ok().and_then(|()| String::from_utf8(std::mem::take(&mut *text)).ok());
        text.map(Zeroizing::new).ok_or("the file cannot be written as JSON")
    }
}

impl Node {
    /// Splits a value into its parts. `None` if it is nested deeper than `depth`.
    fn parse(raw: &RawValue, depth: usize) -> Option<Self> {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let depth = depth.checked_sub(1)?;
                let map: IndexMap<String, &RawValue> = serde_json::from_str(text).ok()?;
                let map = map.into_iter().map(|(key, raw)| Some((key, Self::parse(raw, depth)?)));
                map.collect::<Option<_>>().map(Self::Object)
            }
            Some(b'[') => {
                let depth = depth.checked_sub(1)?;
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                items.into_iter().map(|raw| Self::parse(raw, depth)).collect::<Option<_>>().map(Self::Array)
            }
            _ => Some(Self::Leaf(Zeroizing::new(text.to_owned()))),
        }
    }

    fn view(&self) -> Value {
        match self {
            Self::Object(map) => {
                map.iter().map(|(key, node)| (key.clone(), node.view())).collect::<Map<_, _>>().into()
            }
            Self::Array(items) => items.iter().map(Self::view).collect::<Vec<_>>().into(),
            // A leaf that no `Value` can hold (1e999, half a surrogate pair) is seen as null, and stays in the file.
            Self::Leaf(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        }
    }

    fn from_value(value: Value) -> Self {
        match value {
            Value::Object(map) => {
                Self::Object(map.into_iter().map(|(key, value)| (key, Self::from_value(value))).collect())
            }
            Value::Array(items) => Self::Array(items.into_iter().map(Self::from_value).collect()),
            leaf => {
                let text = Zeroizing::new(leaf.to_string());
                crate::credential::wipe(leaf);
                Self::Leaf(text)
            }
        }
    }

    /// The value below a key, or at an index.
    fn child(&mut self, segment: &str) -> Option<&mut Self> {
        match self {
            Self::Object(map) => map.get_mut(segment),
            Self::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            Self::Leaf(_) => None,
        }
    }

    /// Finds the node at a path, and creates missing nodes and maps for `null` on the way.
    fn at(&mut self, path: &[String]) -> Result<&mut Self, UnsupportedEdit> {
        let Some((first, rest)) = path.split_first() else { return Ok(self) };
        if matches!(self, Self::Leaf(text) if text.as_str() == "null") {
            *self = Self::Object(IndexMap::new());
        }
        if let Self::Object(map) = self {
            map.entry(first.clone()).or_insert_with(|| Self::from_value(Value::Null));
        }
        self.child(first).ok_or(NOT_A_MAP)?.at(rest)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(map) => serializer.collect_map(map),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Leaf(text) => {
                let raw: &RawValue = serde_json::from_str(text).map_err(|_| S::Error::custom("not JSON"))?;
                raw.serialize(serializer)
            }
        }
    }
}
