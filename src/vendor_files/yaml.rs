//! YAML files. Edits keep values and their order, and lose comments, anchors and the spelling of numbers.

use std::mem;

use serde_json::{Map, Value};
use serde_yaml::{Options, SerializerOptions, budget, options, ser_options};
use zeroize::Zeroizing;

use super::document::{Document, ErrorPosition, NOT_A_MAP, UnsupportedEdit, View};
use crate::credential::wipe;

/// A YAML document.
pub(super) struct Tree(View);

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Self, ErrorPosition> {
        match serde_yaml::from_str_with_options(text, limits()) {
            Ok(Value::Null) => Ok(Self(View(Value::Object(Map::new())))),
            Ok(value) => Ok(Self(View(value))),
            Err(error) => Err(error.location().map(|at| (at.line() as usize, at.column() as usize))),
        }
    }
}

impl Document for Tree {
    fn view(&self) -> View {
        View(self.0.clone())
    }

    fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        let mut node = &mut self.0.0;
        for segment in path {
            if node.is_null() {
                *node = Value::Object(Map::new());
            }
            if let Value::Object(map) = node {
                map.entry(segment.clone()).or_insert(Value::Null);
            }
            node = child(node, segment).ok_or(NOT_A_MAP)?;
        }
        wipe(mem::replace(node, value));
        Ok(())
    }

    fn remove(&mut self, path: &[String]) {
        let Some((last, above)) = path.split_last() else { return };
        let above = above.iter().try_fold(&mut self.0.0, |node, segment| child(node, segment));
        if let Some(value) = above.and_then(Value::as_object_mut).and_then(|map| map.shift_remove(last)) {
            wipe(value);
        }
    }

    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        let text = serde_yaml::to_string_with_options(&*self.0, layout()).map(Zeroizing::new);
        let text = text.map_err(|_| "the file cannot be written as YAML")?;
        // The serializer rewrites every value of the file, so all of them are verified.
        match Self::parse(&text) {
            Ok(parsed) if *parsed.0 == *self.0 => Ok(text),
            _ => Err("the file would change when written as YAML"),
        }
    }
}

/// The value below a key, or at an index.
fn child<'v>(value: &'v mut Value, segment: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(segment),
        Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Limits that a vendor's settings stay below, and that stop alias bombs and deep nesting during parsing.
fn limits() -> Options {
    options! {
        budget: budget! {
            max_depth: 64,
            flow_nesting_limit: 64,
            max_documents: 1,
            max_events: 100_000,
            max_aliases: 100,
            max_anchors: 100,
            max_merge_keys: 100,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 16,
        },
        with_snippet: false,
        // In YAML 1.2, `yes` and `no` are strings.
        strict_booleans: true,
    }
}

fn layout() -> SerializerOptions {
    ser_options! { prefer_block_scalars: false }
}
