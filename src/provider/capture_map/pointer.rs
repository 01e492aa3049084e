//! JSON Pointers (RFC 6901) in which one segment may be `*`.

use serde_json::Value;

use crate::redact::escape;

/// A parsed path of the capture map.
pub(crate) struct Pointer {
    segments: Vec<String>,
    star: Option<usize>,
}

impl Pointer {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let segments = segments(text)?;
        let mut stars = segments.iter().enumerate().filter(|(_, segment)| *segment == "*");
        let star = stars.next().map(|(at, _)| at);
        if stars.next().is_some() {
            return Err("only one segment of a path may be `*`");
        }
        Ok(Self { segments, star })
    }

    pub(crate) fn has_star(&self) -> bool {
        self.star.is_some()
    }

    pub(crate) fn ends_in_star(&self) -> bool {
        self.star.is_some_and(|at| at + 1 == self.segments.len())
    }

    /// Replaces `*` with `key`. `None` if there is a `*` and no key.
    pub(crate) fn with(&self, key: Option<&str>) -> Option<Vec<String>> {
        let mut segments = self.segments.clone();
        if let Some(at) = self.star {
            key?.clone_into(&mut segments[at]);
        }
        Some(segments)
    }

    /// The keys that `value` has in the place of `*`.
    pub(crate) fn keys<'v>(&self, value: &'v Value) -> impl Iterator<Item = &'v str> {
        let above = self.star.and_then(|at| look_up(value, &self.segments[..at]));
        above.and_then(Value::as_object).into_iter().flat_map(|map| map.keys().map(String::as_str))
    }
}

/// Splits a pointer into its unescaped segments.
pub(crate) fn segments(text: &str) -> Result<Vec<String>, &'static str> {
    let rest = text.strip_prefix('/').filter(|rest| !rest.is_empty()).ok_or("a path starts with `/`")?;
    Ok(rest.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect())
}

/// Joins segments to a pointer, escaped for messages.
pub(crate) fn pointer_text(segments: &[String]) -> String {
    let escaped = segments.iter().map(|s| format!("/{}", s.replace('~', "~0").replace('/', "~1")));
    escape(escaped.collect::<String>().as_bytes())
}

/// Finds the value at a path: through objects by key, through arrays by index.
pub(crate) fn look_up<'v>(mut value: &'v Value, path: &[String]) -> Option<&'v Value> {
    for segment in path {
        value = match value {
            Value::Object(map) => map.get(segment)?,
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}
