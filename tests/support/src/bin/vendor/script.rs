//! Where the script comes from, and how it is cut into lines.

use crate::Failure;
use crate::step::Step;

/// A step and the line that it stands on.
#[derive(Clone)]
pub struct Line {
    pub number: usize,
    pub source: String,
    pub step: Step,
}

/// The script that the environment names.
pub fn load() -> Result<Vec<Line>, Failure> {
    if let Some(path) = std::env::var_os("VENDOR_SCRIPT") {
        let script = std::fs::read_to_string(&path)
            .map_err(|error| Failure::new(64, format!("cannot read {}: {error}", path.display())))?;
        return parse(script.lines());
    }
    match std::env::var("VENDOR_STEPS") {
        Ok(steps) => parse(split(&steps).iter().map(String::as_str)),
        Err(_) => Err(Failure::new(64, "no script: set VENDOR_SCRIPT or VENDOR_STEPS (see --help)")),
    }
}

fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Line>, Failure> {
    lines
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let step = line.parse().map_err(|why| Failure::new(64, format!("line {number}: {why}")))?;
            Ok(Line { number, source: line.to_owned(), step })
        })
        .collect()
}

/// Cuts at newlines and semicolons, but not at a `\;`, which is left for the text's own escapes.
fn split(steps: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut escaped = false;
    for c in steps.chars() {
        if c == '\n' || (c == ';' && !escaped) {
            lines.push(String::new());
        } else if let Some(line) = lines.last_mut() {
            line.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_semicolon_does_not_end_a_step() {
        assert_eq!(split(r"print a\;b;exit 1"), [r"print a\;b", "exit 1"]);
        assert_eq!(split(r"print \\;exit 1"), [r"print \\", "exit 1"]);
    }

    #[test]
    fn a_wrong_step_is_named_with_its_line() {
        let Err(failure) = parse(["# hello", "print hi", "pritn hi"].into_iter()) else {
            panic!("`pritn` was taken for a step");
        };
        assert_eq!(failure.code, 64);
        assert_eq!(failure.message, "line 3: unknown step `pritn` (see --help)");
    }
}
