//! Strict YAML: every problem of a file at once, each with its line and column.

mod parser;

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use serde_path_to_error::Segment;
use serde_yaml::Spanned;

use super::suggest::nearest;
use crate::fs::read::{check_absent, read_own, read_plain};

/// Files larger than this are not configuration.
const MAX_BYTES: u64 = 1 << 20;
/// Keys, values, beginnings and ends: a large descriptor has a few hundred.
const MAX_EVENTS: usize = 20_000;
const MAX_DEPTH: usize = 64;
/// A file with more problems than this is not worth reading on.
const MAX_PROBLEMS: usize = 50;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it should be shown.
    pub file: String,
    /// Line and column, both from 1, where they are known.
    pub at: Option<(u64, u64)>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
}

impl Problem {
    /// Of a file or directory that cannot be read.
    pub(crate) fn unread(path: &Path, why: &dyn fmt::Display) -> Self {
        Self { file: path.display().to_string(), at: None, message: format!("cannot be read: {why}") }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Problems, one a line.
pub fn join(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads a file of our configuration, without parsing it: one that nobody else could have written.
pub fn read_file(path: &Path) -> Result<String, Problem> {
    text(path, read_own(path, MAX_BYTES))
}

/// Reads a file of which nothing is used, only checked.
pub fn read_to_check(path: &Path) -> Result<String, Problem> {
    text(path, read_plain(path, MAX_BYTES))
}

/// The YAML files of a directory of our configuration, sorted, and what could not be read of it. It need not exist.
pub fn files(directory: &Path) -> (Vec<PathBuf>, Vec<Problem>) {
    let cannot = |error: io::Error| Problem::unread(directory, &error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            let absent = error.kind() == io::ErrorKind::NotFound;
            let why = if absent { check_absent(directory) } else { Err(error) };
            return (Vec::new(), why.err().map(cannot).into_iter().collect());
        }
    };
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Ok(entry) => files.push(entry.path()),
            Err(error) => unread.push(cannot(error)),
        }
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    files.sort();
    (files, unread)
}

fn text(path: &Path, read: io::Result<Vec<u8>>) -> Result<String, Problem> {
    let bytes = read.map_err(|error| Problem::unread(path, &error))?;
    String::from_utf8(bytes).map_err(|_| Problem::unread(path, &"it is not text (UTF-8)"))
}

/// Something that does not hold of a file of the right form, at a place such as `image.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place in the file.
    pub path: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
}

/// Parses `text` and has it checked by `lint`; on failure says everything that is wrong with it.
pub fn parse<T: DeserializeOwned>(
    file: &str,
    text: &str,
    lint: impl Fn(&mut T) -> Vec<Finding>,
) -> Result<T, Vec<Problem>> {
    let first = match from_str(text) {
        Ok(mut parsed) => {
            let findings = lint(&mut parsed);
            return if findings.is_empty() { Ok(parsed) } else { Err(located(file, text, findings)) };
        }
        Err(error) => error,
    };
    match Source::new(file, text) {
        Ok(source) => match source.read(source.value.clone(), lint) {
            // What JSON can say may still be too much for YAML.
            Ok(_) => Err(vec![parser::problem(file, &first)]),
            Err(problems) => Err(problems),
        },
        Err(problem) => Err(vec![problem]),
    }
}

fn located(file: &str, text: &str, findings: Vec<Finding>) -> Vec<Problem> {
    match Source::new(file, text) {
        Ok(source) => findings.iter().map(|finding| source.located(finding)).collect(),
        Err(problem) => vec![problem],
    }
}

/// Parses `text` to an untyped value.
pub fn value(file: &str, text: &str) -> Result<Value, Problem> {
    from_str(text).map_err(|error| parser::problem(file, &error))
}

/// Parses with room for configuration, and none for documents that multiply themselves or only cost time.
fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_events: MAX_EVENTS, max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 10_000 },
    };
    serde_yaml::from_str_with_options(text, options)
}

/// A parsed file that knows where each of its values stands.
pub struct Source {
    file: String,
    value: Value,
    positions: HashMap<String, (u64, u64)>,
}

impl Source {
    /// Parses `text` without a type.
    pub fn new(file: &str, text: &str) -> Result<Self, Problem> {
        let value = value(file, text)?;
        let mut positions = HashMap::new();
        if let Ok(node) = from_str::<Node>(text) {
            node.record(String::new(), &mut positions);
        }
        Ok(Self { file: file.to_owned(), value, positions })
    }

    /// A problem at a place such as `image.name` or `callback_ports[0]`; at the nearest place above it that is
    /// in the file when it is not there itself.
    pub fn problem(&self, path: &str, message: impl Into<String>) -> Problem {
        let mut place = path;
        let at = loop {
            if let Some(at) = self.positions.get(place) {
                break *at;
            }
            match place.rfind(['.', '[']) {
                Some(end) => place = &place[..end],
                None => break (1, 1),
            }
        };
        Problem { file: self.file.clone(), at: Some(at), message: message.into() }
    }

    fn located(&self, finding: &Finding) -> Problem {
        self.problem(&finding.path, format!("{}: {}", finding.path, finding.message))
    }

    /// Reads a value that this file was merged into, and has it checked by `lint`; says everything that is wrong with
    /// it, at its place here.
    pub fn read<T: DeserializeOwned>(
        &self,
        value: Value,
        lint: impl Fn(&mut T) -> Vec<Finding>,
    ) -> Result<T, Vec<Problem>> {
        // Read as a list it would be taken for the values alone, in their order.
        if !value.is_object() {
            return Err(vec![self.problem("", "a mapping (`name: value`) belongs here")]);
        }
        let mut left = Removed { value, out: Vec::new() };
        let mut problems = Vec::new();
        let read = loop {
            match serde_path_to_error::deserialize::<_, T>(&left.value) {
                Ok(read) => break Some(read),
                Err(_) if problems.len() == MAX_PROBLEMS => {
                    let message = "and more; these come first".to_owned();
                    problems.push(Problem { file: self.file.clone(), at: None, message });
                    break None;
                }
                Err(error) => {
                    let segments: Vec<Segment> = error.path().iter().cloned().collect();
                    let message = explain(&error.inner().to_string());
                    problems.push(self.problem(&left.place(&segments), message));
                    if !left.leave_out(&segments) {
                        break None;
                    }
                }
            }
        };
        let Some(mut read) = read else { return Err(problems) };
        let findings = lint(&mut read);
        problems.extend(findings.iter().filter(|f| left.tells(f)).map(|finding| self.located(finding)));
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}

/// What is left of a value without what has the wrong form.
struct Removed {
    value: Value,
    /// Where that was, in the file: the place above, and the key or index.
    out: Vec<(String, Segment)>,
}

impl Removed {
    /// Where something is in the file.
    fn place(&self, path: &[Segment]) -> String {
        let mut place = String::new();
        for segment in path {
            match segment {
                Segment::Map { key } if place.is_empty() => place.clone_from(key),
                Segment::Map { key } => place = format!("{place}.{key}"),
                Segment::Seq { index } => place = format!("{place}[{}]", self.in_the_file(&place, *index)),
                _ => {}
            }
        }
        place
    }

    /// The index that an item of a list had before others were left out.
    fn in_the_file(&self, list: &str, index: usize) -> usize {
        let is_in_it = |(above, last): &(String, Segment)| match last {
            Segment::Seq { index } if above == list => Some(*index),
            _ => None,
        };
        let mut out: Vec<usize> = self.out.iter().filter_map(is_in_it).collect();
        out.sort_unstable();
        out.into_iter().fold(index, |index, out| if out <= index { index + 1 } else { index })
    }

    fn leave_out(&mut self, path: &[Segment]) -> bool {
        let Some((last, above)) = path.split_last() else { return false };
        let above = self.place(above);
        let last_in_the_file = match last {
            Segment::Seq { index } => Segment::Seq { index: self.in_the_file(&above, *index) },
            other => other.clone(),
        };
        self.out.push((above, last_in_the_file));
        remove(&mut self.value, path)
    }

    /// Whether something was found of the file, and not of what was left out.
    fn tells(&self, finding: &Finding) -> bool {
        !self.out.iter().any(|(above, last)| match last {
            // It may not be the item that it seems to be.
            Segment::Seq { .. } => finding.path.starts_with(above),
            // Or else it misses what is there.
            Segment::Map { key } => {
                let mut names = above.split(['.', '[']).chain([key.as_str()]);
                names.any(|name| finding.message.contains(&format!("`{name}`")))
            }
            _ => false,
        })
    }
}

/// Adds `did you mean` to serde's message about an unknown key or value, in place of its list where one is near.
fn explain(message: &str) -> String {
    let Some((what, list)) = message.split_once(", expected ") else { return message.replace('`', "\"") };
    if !list.contains('`') {
        return format!("{}, expected {}", kind(what), expected(list));
    }
    let Some(wrong) = what.split('`').nth(1) else { return message.to_owned() };
    let expected: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let what = what.replace('`', "\"").replace("unknown variant", "unknown value");
    match nearest(wrong, expected.iter().copied()) {
        Some(near) => format!("{what} (did you mean \"{near}\"?)"),
        None => format!("{what} (known: {})", expected.join(", ")),
    }
}

/// What there is, not in the words of serde.
fn kind(what: &str) -> String {
    let last = |of: &str| what.ends_with(&format!("invalid type: {of}"));
    match what {
        _ if last("map") => "invalid type: a mapping".to_owned(),
        _ if last("sequence") => "invalid type: a list".to_owned(),
        _ => what.replace('`', "\""),
    }
}

/// What there should be, not in the words of Rust.
fn expected(what: &str) -> &str {
    match what {
        "a map" => "a mapping (`name: value`)",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "u16" => "a number from 0 to 65535",
        "u8" | "u32" | "u64" | "usize" => "a whole number, not negative",
        _ if what.starts_with("struct ") => "a mapping (`name: value`)",
        _ if what.starts_with("enum ") => "a text",
        _ => what,
    }
}

fn remove(value: &mut Value, path: &[Segment]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut here = value;
    for segment in parents {
        let next = match segment {
            Segment::Map { key } => here.get_mut(key),
            Segment::Seq { index } => here.get_mut(index),
            _ => None,
        };
        let Some(next) = next else { return false };
        here = next;
    }
    match (here, last) {
        (Value::Object(map), Segment::Map { key }) => map.shift_remove(key).is_some(),
        (Value::Array(items), Segment::Seq { index }) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

/// A YAML tree of which only the places are kept.
enum Node {
    Map(Vec<(Spanned<String>, Node)>),
    Seq(Vec<Spanned<Node>>),
    Leaf,
}

impl Node {
    fn record(&self, path: String, positions: &mut HashMap<String, (u64, u64)>) {
        match self {
            Self::Map(entries) => {
                for (key, node) in entries {
                    let place =
                        if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                    positions.insert(place.clone(), (key.referenced.line(), key.referenced.column()));
                    node.record(place, positions);
                }
            }
            Self::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = format!("{path}[{index}]");
                    positions.insert(place.clone(), (item.referenced.line(), item.referenced.column()));
                    item.value.record(place, positions);
                }
            }
            Self::Leaf => {}
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;
        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Node::Map(entries))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::Seq(items))
            }
            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf)
            }
        }
        deserializer.deserialize_any(NodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code)]
    struct File {
        modes: Vec<u16>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        #[serde(default)]
        label: String,
    }

    fn problems(text: &str) -> Vec<String> {
        parse::<File>("f.yaml", text, |_| Vec::new())
            .expect_err("problems")
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_place() {
        let text = "modse: [1]\nmodes: [1, x]\ninner:\n  labl: y\n";
        let mut found = problems(text);
        found.sort();
        assert_eq!(
            found,
            [
                "f.yaml:1:1: unknown field \"modse\" (did you mean \"modes\"?)",
                "f.yaml:2:12: invalid type: string \"x\", expected a number from 0 to 65535",
                "f.yaml:4:3: unknown field \"labl\" (did you mean \"label\"?)",
            ]
        );
    }

    #[test]
    fn broken_yaml_is_located() {
        let found = problems("modes: [1\ninner: {}\n");
        assert!(found[0].starts_with("f.yaml:"), "{found:?}");
    }

    #[test]
    fn more_than_any_configuration_has_is_one_error() {
        let many: String = (0..60_000).map(|n| format!("k{n}: {n}\n")).collect();
        let deep = "[".repeat(500_000);
        let begun = std::time::Instant::now();
        for text in [many, deep] {
            let found = problems(&text);
            assert!(found.len() == 1 && found[0].len() < 200, "{found:?}");
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    }

    #[test]
    fn a_bomb_of_aliases_is_an_error() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(","));
        }
        assert!(value("f", &text).is_err());
    }
}
