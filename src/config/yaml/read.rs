//! Deserializing a value so that every problem of it is reported, and not only the first.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::{Finding, Findings, Node, Problem, node::Step, words};

/// The largest number of problems that is reported for a file.
const MAX_PROBLEMS: usize = 50;

impl Node {
    /// Deserializes the value and lints the result.
    ///
    /// A deserializer stops at its first error. So the value with the error is removed, and the rest
    /// deserialized again, until nothing is wrong.
    ///
    /// # Errors
    /// Every problem: all values of a wrong type and all findings of `lint`, each at its place in the file.
    pub fn read<T: DeserializeOwned>(mut self, lint: impl Fn(&mut T) -> Findings) -> Result<T, Vec<Problem>> {
        // From a list, the deserializer would take the values of the fields in their order.
        if !self.is_mapping() {
            return Err(vec![self.problem("", words::MAPPING_EXPECTED)]);
        }
        let (mut problems, mut removed) = (Vec::new(), Vec::new());
        let mut value: T = loop {
            let error = match serde_path_to_error::deserialize(self.to_value()) {
                Ok(value) => break value,
                Err(error) => error,
            };
            if problems.len() == MAX_PROBLEMS {
                let message = "and more; these come first".to_owned();
                problems.push(Problem { file: self.file().to_owned(), at: None, message });
                return Err(problems);
            }
            let path = steps(error.path());
            problems.push(self.problem(&place(&path), words::explain(&error.inner().to_string())));
            if !self.remove(&path) {
                return Err(problems);
            }
            removed.push(path);
        };
        let findings = lint(&mut value).0;
        let reported = findings.iter().filter(|finding| !removed.iter().any(|path| explains(path, finding)));
        problems.extend(reported.map(|finding| self.finding(finding)));
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }
}

/// The steps of an error's path, without those that are not in the file, such as an enum's variant.
fn steps(path: &Path) -> Vec<Step> {
    let step = |segment: &Segment| match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

/// A path as a place: `image.name`, `callback_ports[0]`.
fn place(path: &[Step]) -> String {
    path.iter().fold(String::new(), |place, step| match step {
        Step::Key(key) if place.is_empty() => key.clone(),
        Step::Key(key) => format!("{place}.{key}"),
        Step::Index(index) => format!("{place}[{index}]"),
    })
}

/// Whether a finding may be only the result of a removed value.
fn explains(removed: &[Step], finding: &Finding) -> bool {
    match removed {
        // The items after it have moved, so that the finding may name the wrong one.
        [list @ .., Step::Index(_)] => finding.path.starts_with(&place(list)),
        // The finding may say that the value is missing.
        _ => removed
            .iter()
            .any(|step| matches!(step, Step::Key(key) if finding.message.contains(&format!("`{key}`")))),
    }
}
