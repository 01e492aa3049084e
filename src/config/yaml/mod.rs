//! Strict YAML: reports every problem of a file at once, each with its line and column.

mod files;
mod findings;
mod node;
mod read;
mod words;

use std::{fmt, path::Path};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use files::{duplicate, files, read_file, read_to_check};
pub use findings::{Finding, Findings, parses};
pub use node::Node;

/// The largest number of keys, values, starts and ends in a file. A large descriptor has a few hundred.
const MAX_EVENTS: usize = 20_000;
/// The deepest nesting in a file.
const MAX_DEPTH: usize = 64;
/// The largest number of events that aliases may repeat.
const MAX_REPLAYED_EVENTS: usize = 10_000;

/// A problem of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it is shown.
    pub file: String,
    /// Line and column, both from 1, if known.
    pub at: Option<(u64, u64)>,
    /// The problem, as a lower-case fragment.
    pub message: String,
}

impl Problem {
    /// A problem of the file as a whole.
    pub(crate) fn of_file(path: &Path, message: String) -> Self {
        Self { file: path.display().to_string(), at: None, message }
    }

    /// A file or directory that cannot be read.
    pub(crate) fn unread(path: &Path, why: &dyn fmt::Display) -> Self {
        Self::of_file(path, format!("cannot be read: {why}"))
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

/// Joins problems to a text, one on each line.
pub fn join(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Parses `text` and lints the result.
///
/// # Errors
/// Every problem of the text: if it is YAML, all values of a wrong type and all findings of `lint`.
pub fn parse<T: DeserializeOwned>(
    file: &str,
    text: &str,
    lint: impl Fn(&mut T) -> Findings,
) -> Result<T, Vec<Problem>> {
    let error = match from_str(text) {
        Ok(mut parsed) => {
            let findings = lint(&mut parsed).0;
            return if findings.is_empty() { Ok(parsed) } else { Err(locate(file, text, &findings)) };
        }
        Err(error) => error,
    };
    match Node::parse(file, text).map_err(|problem| vec![problem])?.read(lint) {
        // The typed parse is stricter in places, for example about tags.
        Ok(_) => Err(vec![words::problem(file, &error)]),
        Err(problems) => Err(problems),
    }
}

fn locate(file: &str, text: &str, findings: &[Finding]) -> Vec<Problem> {
    match Node::parse(file, text) {
        Ok(node) => findings.iter().map(|finding| node.finding(finding)).collect(),
        Err(problem) => vec![problem],
    }
}

/// Parses `text` to an untyped value. An empty text is an empty mapping.
///
/// # Errors
/// The first problem of the text.
pub fn value(file: &str, text: &str) -> Result<Value, Problem> {
    Node::parse(file, text).map(|node| node.to_value())
}

/// Parses within limits that fit any configuration, and no file that multiplies itself or only costs time.
fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_events: MAX_EVENTS, max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED_EVENTS },
    };
    serde_yaml::from_str_with_options(text, options)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

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
        linted(text, Vec::new())
    }

    fn linted(text: &str, findings: Vec<Finding>) -> Vec<String> {
        let problems = parse::<File>("f.yaml", text, |_| Findings(findings.clone())).expect_err("problems");
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn file_with_several_mistakes_reports_each_with_its_place() {
        let text = "modse: [1]\nmodes: [1, x, 2, z]\ninner:\n  labl: y\n";
        let mut found = problems(text);
        found.sort();
        assert_eq!(
            found,
            [
                "f.yaml:1:1: unknown field \"modse\" (did you mean \"modes\"?)",
                "f.yaml:2:12: invalid type: string \"x\", expected a number from 0 to 65535",
                "f.yaml:2:18: invalid type: string \"z\", expected a number from 0 to 65535",
                "f.yaml:4:3: unknown field \"labl\" (did you mean \"label\"?)",
            ]
        );
    }

    #[test]
    fn finding_is_reported_at_the_nearest_value_of_the_file() {
        let finding = |path: &str| Finding { path: path.to_owned(), message: "wrong".to_owned() };
        let text = "modes: [1,\n  2]\ninner: {label: x}\n";
        let found = linted(text, ["modes[1]", "modes[2]", "inner.other", "none"].map(finding).into());
        assert_eq!(
            found,
            [
                "f.yaml:2:3: modes[1]: wrong",
                "f.yaml:1:1: modes[2]: wrong",
                "f.yaml:3:1: inner.other: wrong",
                "f.yaml:1:1: none: wrong",
            ]
        );
    }

    #[test]
    fn finding_about_a_removed_value_is_not_reported() {
        let finding = |path: &str, message: &str| Finding { path: path.into(), message: message.into() };
        let findings =
            vec![finding("inner", "needs `label`"), finding("modes[0]", "wrong"), finding("inner", "wrong")];
        let found = linted("modes: [x, 1]\ninner: {label: [a]}\n", findings);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[2], "f.yaml:2:1: inner: wrong");
    }

    #[test]
    fn broken_yaml_is_reported_with_its_place() {
        let found = problems("modes: [1\ninner: {}\n");
        assert!(found.len() == 1 && found[0].starts_with("f.yaml:"), "{found:?}");
    }

    #[test]
    fn file_over_the_limits_is_one_problem() {
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
    fn aliases_that_multiply_are_an_error() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(","));
        }
        assert!(value("f", &text).is_err());
    }
}
