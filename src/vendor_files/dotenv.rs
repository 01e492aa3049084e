//! `.env` files: `NAME=value` lines. Edits keep comments, order, `export` and the quotes of other values.
//!
//! A value is plain (up to white space and `#`), in single quotes (verbatim), or in double quotes (with the escapes
//! `\n`, `\r`, `\t`, `\"`, `\\` and `\$`). Quoted values may span lines. The last setting of a name counts.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::document::{Document, ErrorPosition, UnsupportedEdit, View};

/// The lines of a file.
pub(super) struct Lines(Vec<Line>);

enum Line {
    /// A line without a setting, with its line end.
    Other(String),
    Setting {
        /// The text up to and including `=` and the white space after it.
        before: String,
        name: String,
        value: Zeroizing<String>,
        /// The value as written, with its quotes.
        written: Zeroizing<String>,
        /// The rest of the line, with its line end.
        after: String,
    },
}

impl Lines {
    pub(super) fn parse(text: &str) -> Result<Self, ErrorPosition> {
        let malformed = |at: usize| Some((text[..at].matches('\n').count() + 1, 1));
        // No environment can hold a NUL.
        if let Some(at) = text.find('\0') {
            return Err(malformed(at));
        }
        let (mut lines, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (line, next) = Line::parse(rest).ok_or_else(|| malformed(at))?;
            lines.push(line);
            rest = next;
        }
        Ok(Self(lines))
    }
}

impl Document for Lines {
    fn view(&self) -> View {
        let mut map = Map::new();
        for line in &self.0 {
            if let Line::Setting { name, value, .. } = line {
                map.insert(name.clone(), value.as_str().into());
            }
        }
        View(map.into())
    }

    fn set(&mut self, path: &[String], value: Value) -> Result<(), UnsupportedEdit> {
        let [name] = path else { return Err("a dotenv file has no nested values") };
        if !is_name(name) {
            return Err("not the name of an environment variable");
        }
        let value = Zeroizing::new(match value {
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err("a dotenv file has no lists or maps"),
        });
        let written = quote(&value)?;
        let found = self.0.iter().rposition(|line| line.sets(name));
        let (before, after) = match found.map(|at| self.0.remove(at)) {
            Some(Line::Setting { before, after, .. }) => (before, tail(&after).to_owned()),
            _ => (format!("{name}="), "\n".to_owned()),
        };
        let at = found.unwrap_or(self.0.len());
        if let (None, Some(last)) = (found, self.0.last_mut()) {
            last.terminate();
        }
        self.0.insert(at, Line::Setting { before, name: name.clone(), value, written, after });
        let mut index = 0;
        self.0.retain(|line| {
            index += 1;
            index > at || !line.sets(name)
        });
        Ok(())
    }

    fn remove(&mut self, path: &[String]) {
        if let [name] = path {
            self.0.retain(|line| !line.sets(name));
        }
    }

    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        let mut text = Zeroizing::new(String::new());
        for line in &self.0 {
            match line {
                Line::Other(line) => text.push_str(line),
                Line::Setting { before, written, after, .. } => {
                    text.extend([before.as_str(), written.as_str(), after.as_str()]);
                }
            }
        }
        Ok(text)
    }
}

impl Line {
    /// Splits a text into its first line and the rest. `None` if a quote is not closed.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let end = text.find('\n').map_or(text.len(), |at| at + 1);
        let (line, rest) = text.split_at(end);
        let Some((before, name)) = setting(line) else { return Some((Self::Other(line.to_owned()), rest)) };
        let tail = &text[before.len()..];
        let (value, length) = match tail.chars().next() {
            Some('\'') => single_quoted(tail)?,
            Some('"') => double_quoted(tail)?,
            _ => plain(&line[before.len()..]),
        };
        let (written, tail) = tail.split_at(length);
        let (after, rest) = tail.split_at(tail.find('\n').map_or(tail.len(), |at| at + 1));
        let line = Self::Setting {
            before: before.to_owned(),
            name: name.to_owned(),
            value,
            written: Zeroizing::new(written.to_owned()),
            after: after.to_owned(),
        };
        Some((line, rest))
    }

    fn sets(&self, wanted: &str) -> bool {
        matches!(self, Self::Setting { name, .. } if name == wanted)
    }

    /// Appends a line end, if there is none.
    fn terminate(&mut self) {
        let (Self::Other(end) | Self::Setting { after: end, .. }) = self;
        if !end.ends_with('\n') {
            end.push('\n');
        }
    }
}

/// The text of a line before its value, and the name that the line sets.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (left, right) = line.split_once('=')?;
    let name = left.trim();
    let name = name.strip_prefix("export").filter(|n| n.starts_with([' ', '\t'])).map_or(name, str::trim);
    let blank = right.len() - right.trim_start_matches([' ', '\t']).len();
    is_name(name).then(|| (&line[..=left.len() + blank], name))
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn plain(line: &str) -> (Zeroizing<String>, usize) {
    let comment = line.starts_with('#').then_some(0).or_else(|| line.find(" #")).or_else(|| line.find("\t#"));
    let value = line[..comment.unwrap_or(line.len())].trim_end();
    (Zeroizing::new(value.to_owned()), value.len())
}

fn single_quoted(text: &str) -> Option<(Zeroizing<String>, usize)> {
    let inside = text.get(1..)?;
    let end = inside.find('\'')?;
    Some((Zeroizing::new(inside[..end].to_owned()), end + 2))
}

fn double_quoted(text: &str) -> Option<(Zeroizing<String>, usize)> {
    let mut value = Zeroizing::new(String::new());
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

/// The part of `after` that may follow a new value: white space, a comment and the line end. Drops anything else.
fn tail(after: &str) -> &str {
    let text = after.trim_start();
    if text.is_empty() || (text.starts_with('#') && text.len() < after.len()) {
        return after;
    }
    &after[after.trim_end_matches(['\r', '\n']).len()..]
}

/// Writes a value in the simplest form that all dotenv parsers read alike.
fn quote(value: &str) -> Result<Zeroizing<String>, UnsupportedEdit> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,~".contains(c);
    if value.chars().all(is_plain) {
        return Ok(Zeroizing::new(value.to_owned()));
    }
    if value.contains('\0') {
        return Err("the value has a NUL character");
    }
    if !value.contains(['\'', '\\', '\n', '\r']) {
        return Ok(Zeroizing::new(format!("'{value}'")));
    }
    let mut quoted = Zeroizing::new(String::from('"'));
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}
