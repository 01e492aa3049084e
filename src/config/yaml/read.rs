//! Deserializing a value so that every problem of it is reported, and not only the first.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::{Finding, Findings, Node, Problem, words};

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
            let place = place(error.path());
            problems.push(self.problem(&place, words::explain(&error.inner().to_string())));
            if !self.remove(&place) {
                return Err(problems);
            }
            removed.push(place);
        };
        let findings = lint(&mut value).0;
        let reported = findings.iter().filter(|finding| !removed.iter().any(|path| explains(path, finding)));
        problems.extend(reported.map(|finding| self.finding(finding)));
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }
}

/// A path as a place, without the steps that are not in the file, such as an enum's variant.
fn place(path: &Path) -> String {
    let steps = path.iter().filter(|step| matches!(step, Segment::Map { .. } | Segment::Seq { .. }));
    steps.fold(String::new(), |place, step| match step {
        Segment::Map { .. } if !place.is_empty() => format!("{place}.{step}"),
        _ => format!("{place}{step}"),
    })
}

/// Whether a finding may be only the result of a removed value.
fn explains(removed: &str, finding: &Finding) -> bool {
    match removed.strip_suffix(']').and_then(|item| item.rsplit_once('[')) {
        // The items after it have moved, so that the finding may name the wrong one.
        Some((list, _)) => finding.path.starts_with(list),
        // The finding may say that the value is missing.
        None => removed.split(['.', '[']).any(|key| finding.message.contains(&format!("`{key}`"))),
    }
}
