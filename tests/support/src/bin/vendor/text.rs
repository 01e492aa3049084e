//! The small language of TEXT: escapes and variables.

use std::collections::BTreeMap;

/// A text as the script has it: its escapes are resolved, its variables are not.
#[derive(Clone)]
pub struct Text(String);

impl Text {
    /// Resolves the escapes of `source`. A backslash before anything else is kept, so that JSON can be written as it is.
    pub fn new(source: &str) -> Self {
        let mut text = String::with_capacity(source.len());
        let mut chars = source.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('e') => text.push('\x1b'),
                Some('a') => text.push('\x07'),
                Some('0') => text.push('\0'),
                Some(c @ ('\\' | ';')) => text.push(c),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            }
        }
        Self(text)
    }

    /// The text with the variables known so far filled in.
    pub fn fill(&self, variables: &BTreeMap<&'static str, String>) -> String {
        variables.iter().fold(self.0.clone(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_json_is_left_alone() {
        let fill = |text: &str| Text::new(text).fill(&BTreeMap::from([("LINE", "key".to_owned())]));
        assert_eq!(fill(r"\e[1\;34mhi\n"), "\x1b[1;34mhi\n");
        assert_eq!(fill(r#"{"a":"\"$LINE\""}"#), r#"{"a":"\"key\""}"#);
        assert_eq!(fill(r"\\n \u00e9 \"), r"\n \u00e9 \");
    }
}
