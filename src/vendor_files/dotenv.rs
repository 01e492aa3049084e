//! `.env` files: `NAME=value` lines. Edits keep comments, order, `export` and the quotes of other values.
//!
//! A value is plain (up to white space and `#`), in single quotes (verbatim), or in double quotes (with the escapes
//! `\n`, `\r`, `\t`, `\"`, `\\` and `\$`). Quoted values may span lines. The last setting of a name counts.

use std::ops::Range;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::document::{Document, ErrorPosition, UnsupportedEdit, View};

/// The text of a file. It can be parsed: it was when it was read, and edits keep it so.
pub(super) struct Lines(Zeroizing<String>);

/// A setting, by its place in the text.
struct Setting {
    name: String,
    value: Zeroizing<String>,
    /// The value as written, with its quotes.
    written: Range<usize>,
    /// The whole lines, with the line end.
    lines: Range<usize>,
}

impl Lines {
    pub(super) fn parse(text: &str) -> Result<Self, ErrorPosition> {
        settings(text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    fn settings(&self) -> Vec<Setting> {
        settings(&self.0).unwrap_or_default()
    }

    fn settings_of(&self, name: &str) -> Vec<Setting> {
        self.settings().into_iter().filter(|setting| setting.name == name).collect()
    }
}

impl Document for Lines {
    fn view(&self) -> View {
        let values = self.settings().into_iter().map(|setting| (setting.name, setting.value.as_str().into()));
        View(values.collect::<Map<_, _>>().into())
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
        match self.settings_of(name).pop() {
            Some(Setting { written: old, lines, .. }) => {
                let after = tail(&self.0[old.end..lines.end]).to_owned();
                self.0.replace_range(old.start..lines.end, &after);
                self.0.insert_str(old.start, &written);
            }
            None => {
                if !self.0.is_empty() && !self.0.ends_with('\n') {
                    self.0.push('\n');
                }
                self.0.extend([name, "=", &written, "\n"]);
            }
        }
        let mut repeated = self.settings_of(name);
        repeated.pop();
        repeated.into_iter().rev().for_each(|setting| self.0.replace_range(setting.lines, ""));
        Ok(())
    }

    fn remove(&mut self, path: &[String]) {
        if let [name] = path {
            self.settings_of(name)
                .into_iter()
                .rev()
                .for_each(|setting| self.0.replace_range(setting.lines, ""));
        }
    }

    fn render(&self) -> Result<Zeroizing<String>, UnsupportedEdit> {
        Ok(self.0.clone())
    }
}

/// Finds the settings of a text, in order.
fn settings(text: &str) -> Result<Vec<Setting>, ErrorPosition> {
    let malformed = |at: usize| Some((text[..at].matches('\n').count() + 1, 1));
    // No environment can hold a NUL.
    if let Some(at) = text.find('\0') {
        return Err(malformed(at));
    }
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let (mut settings, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let mut end = line_end(at);
        if let Some((before, name)) = setting(&text[at..end]) {
            let start = at + before.len();
            let value = match text[start..].chars().next() {
                Some('\'') => single_quoted(&text[start..]),
                Some('"') => double_quoted(&text[start..]),
                _ => Some(plain(&text[start..end])),
            };
            let (value, length) = value.ok_or_else(|| malformed(at))?;
            let written = start..start + length;
            end = line_end(written.end);
            settings.push(Setting { name: name.to_owned(), value, written, lines: at..end });
        }
        at = end;
    }
    Ok(settings)
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
