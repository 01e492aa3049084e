//! JSON Pointers (RFC 6901) in which a segment may be `*`.

use serde_json::Value;

use crate::redact::escape;

/// The sign for a key that is itself data, and in `when` for any value.
pub(super) const STAR: &str = "*";

/// A parsed path of the capture map.
#[derive(Clone)]
pub(crate) struct Pointer {
    segments: Vec<String>,
}

impl Pointer {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(Self { segments: segments(text)? })
    }

    /// Parses a path that may be `""`, which is the whole document.
    pub(crate) fn parse_map(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() { Ok(Self { segments: Vec::new() }) } else { Self::parse(text) }
    }

    /// The number of keys that [`Pointer::with`] needs.
    pub(crate) fn stars(&self) -> usize {
        self.segments.iter().filter(|segment| *segment == STAR).count()
    }

    pub(crate) fn ends_in_star(&self) -> bool {
        self.segments.last().is_some_and(|last| last == STAR)
    }

    /// Replaces each `*` with the next of `keys`. `None` if there are too few.
    pub(crate) fn with(&self, keys: &[String]) -> Option<Vec<String>> {
        let mut keys = keys.iter();
        let filled = |segment: &String| if segment == STAR { keys.next() } else { Some(segment) }.cloned();
        self.segments.iter().map(filled).collect()
    }

    /// The keys that `value` has in the places of `*`, in each combination.
    pub(crate) fn keys(&self, value: &Value) -> Vec<Vec<String>> {
        let mut found = vec![(Vec::new(), value)];
        for (at, segment) in self.segments.iter().enumerate() {
            if self.segments[at..].iter().all(|segment| segment != STAR) {
                break;
            }
            found = match segment == STAR {
                true => found.into_iter().flat_map(|(keys, value)| below(keys, value)).collect(),
                false => {
                    let next = |(keys, value)| Some((keys, look_up(value, &self.segments[at..=at])?));
                    found.into_iter().filter_map(next).collect()
                }
            };
        }
        found.into_iter().map(|(keys, _)| keys).collect()
    }
}

fn below(keys: Vec<String>, value: &Value) -> impl Iterator<Item = (Vec<String>, &Value)> {
    value.as_object().into_iter().flatten().map(move |(key, value)| {
        let mut keys = keys.clone();
        keys.push(key.clone());
        (keys, value)
    })
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
