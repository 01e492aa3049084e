//! The Rust files of this repository, read well enough to look for words in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A Rust file.
pub struct Source {
    /// Its path below the repository.
    pub path: String,
    pub text: String,
    /// Its text without comments, contents of strings, and unit tests. Positions and lines are those of the text.
    pub code: String,
    /// Its string literals outside of unit tests.
    pub strings: Vec<String>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("readable");
        let (code, mut strings) = without_words(&text);
        let code = without_tests(&code);
        strings.retain(|(at, _)| code[*at..].starts_with('"'));
        let strings = strings.into_iter().map(|(_, string)| string).collect();
        let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below the repository");
        Self { path: path.to_str().expect("text").to_owned(), code, text, strings }
    }

    /// Whether it holds unit tests only.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The lines of its text.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// The Rust files below a directory of the repository.
pub fn below(directory: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut files);
    files.sort();
    files.iter().map(|path| Source::read(path)).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Replaces comments and strings by blanks, a string's first by a quote; returns the strings and their positions, too.
fn without_words(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word =
            code.strip_suffix('b').unwrap_or(&code).ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let (length, is_string) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), false)
        } else if let Some(length) = raw_string(rest).filter(|_| !after_word) {
            (length, true)
        } else if first == '"' {
            (escaped(rest, '"'), true)
        } else if rest.starts_with("'\\") || (first == '\'' && rest.chars().nth(2) == Some('\'')) {
            (escaped(rest, '\''), false)
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let (part, left) = rest.split_at(length);
        if is_string {
            let string = part.trim_start_matches(['r', '#']).trim_end_matches('#').trim_matches('"');
            strings.push((code.len(), string.to_owned()));
            code.push('"');
            blank(&mut code, &part[1..]);
        } else {
            blank(&mut code, part);
        }
        rest = left;
    }
    (code, strings)
}

/// Appends blanks in place of some text, line by line.
fn blank(code: &mut String, part: &str) {
    code.extend(part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

/// The length of a raw string that the text begins with.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let inside = hashes.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(hashes.len() - inside.len()));
    let start = text.len() - inside.strip_prefix('"')?.len();
    Some(start + text[start..].find(&end)? + end.len())
}

/// The length of the literal that the text begins with, up to a mark that is not escaped.
fn escaped(text: &str, mark: char) -> usize {
    let mut escape = true;
    for (at, c) in text.char_indices() {
        match c {
            _ if escape => escape = false,
            '\\' => escape = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Replaces modules of unit tests by blanks.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let begins = out[start..].find(['{', ';']).map_or(out.len(), |at| start + at);
        let end = if out[begins..].starts_with('{') { block_end(&out, begins) } else { begins };
        let end = (end + 1).min(out.len());
        let mut blanks = String::new();
        blank(&mut blanks, &out[start..end]);
        out.replace_range(start..end, &blanks);
    }
    out
}

/// The position of the brace that closes the block opened at a position.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}
