//! Tables, JSON and messages. What comes from others is made safe here, so that no caller can forget it.

use std::io::{self, IsTerminal as _, Write as _};

use authenticate::{Record, redact::is_invisible};
use serde::Serialize;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::patient;

/// A JSON document with the version of its form.
#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    #[serde(flatten)]
    content: &'a Value,
}

/// Prints an object as a JSON document.
pub fn json(content: &Value) -> io::Result<()> {
    let document = serde_json::to_string_pretty(&Document { schema: 1, content })?;
    // Such a character can only be inside of a string, where its escape means the same.
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        match c {
            c if c != '\n' && (c.is_control() || is_invisible(c)) => {
                c.encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
            }
            c => escaped.push(c),
        }
    }
    generated(&escaped)
}

/// Names standard output in an error: "no space left" alone would point to the disk of the store.
pub fn name_stdout(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))
}

/// Prints text, and a newline if it ends without one.
pub fn text(text: &str) -> io::Result<()> {
    generated(&safe_lines(text))
}

/// Prints text in which nothing comes from others, as it is, and a newline if it ends without one.
pub fn generated(text: &str) -> io::Result<()> {
    let mut out = patient::stdout();
    let end: &[u8] = if text.ends_with('\n') { b"" } else { b"\n" };
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(end)).map_err(name_stdout)
}

/// Prints a table without borders: one line per row. If it is wider than the terminal on standard output, it loses the
/// columns that it `can_lose`, the first of them first.
pub fn table(header: &[&str], mut rows: Vec<Vec<String>>, can_lose: &[&str]) -> io::Result<()> {
    rows.insert(0, header.iter().map(|&cell| cell.to_owned()).collect());
    rows.iter_mut().flatten().for_each(make_safe);
    let mut widths = vec![0; header.len()];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let lost = lost_columns(header, &widths, can_lose);
    let mut out = io::BufWriter::new(patient::stdout());
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, widest)) in row.iter().zip(&widths).enumerate() {
            if !lost.contains(&column) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', widest - width(cell) + 2));
            }
        }
        writeln!(out, "{}", line.trim_end()).map_err(name_stdout)?;
    }
    out.flush().map_err(name_stdout)?;
    if !lost.is_empty() {
        let names: Vec<&str> = lost.iter().map(|&column| header[column]).collect();
        note(&format!("not shown: {}; --wide shows all", names.join(", ")));
    }
    Ok(())
}

/// The columns that a table must lose to fit the terminal.
fn lost_columns(header: &[&str], widths: &[usize], can_lose: &[&str]) -> Vec<usize> {
    let Ok(size) = rustix::termios::tcgetwinsize(io::stdout()) else { return Vec::new() };
    let mut width = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    let columns = can_lose.iter().filter_map(|name| header.iter().position(|column| column == name));
    let is_needed = |column: &usize| {
        // A terminal without a size has 0 columns.
        let too_wide = size.ws_col > 0 && width > size.ws_col.into();
        width -= widths[*column] + 2;
        too_wide
    };
    columns.take_while(is_needed).collect()
}

/// The width of a text in terminal columns. Most texts are ASCII, and a list may be long.
fn width(cell: &str) -> usize {
    if cell.is_ascii() { cell.len() } else { cell.width() }
}

fn make_safe(cell: &mut String) {
    if !cell.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        *cell = safe(cell);
    }
}

/// A stored credential as JSON, without its secret.
pub fn record_json(record: &Record) -> Value {
    json!({
        "provider": record.address.provider.as_str(),
        "set": record.address.set.as_str(),
        "profile": record.address.profile.as_str(),
        "kind": record.credential.kind().as_str(),
        "account": record.metadata.account,
        "plan": record.metadata.plan,
        "host": record.metadata.host,
        "scopes": record.metadata.scopes,
        "expires_at": record.metadata.expires_at.map(|at| at.to_string()),
    })
}

/// Notes that a credential is stored.
pub fn note_stored(record: &Record) {
    let account = record.metadata.account.as_ref().map(|account| format!(" for {account}"));
    let account = account.unwrap_or_default();
    note(&format!("stored {} {}{}", record.credential.kind(), record.address, safe(&account)));
}

/// A number of credentials with its verb: `1 credential is`, `2 credentials are`.
pub fn credentials_are(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 credential is".to_owned(),
        count => format!("{count} credentials are"),
    }
}

/// Replaces control and invisible characters of an untrusted text, so that it cannot control the terminal.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// Makes a text of several lines [safe]: newlines stay, and tabs become spaces.
fn safe_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| safe(&line.replace('\t', "    "))).collect();
    lines.join("\n")
}

/// Prints text to standard error as it is.
pub fn print(text: &str) {
    let _ = patient::write_all(rustix::stdio::stderr(), text.as_bytes());
}

/// Prints a remark to standard error.
pub fn note(text: &str) {
    print(&format!("{}\n", safe_lines(text)));
}

/// Prints a remark while the terminal may be raw: lines end with CR and LF.
pub fn note_raw(text: &str) {
    print(&format!("{}\r\n", safe_lines(text).replace('\n', "\r\n")));
}

/// Prints a warning to standard error.
pub fn warn(text: &str) {
    print(&format!("{} {}\n", paint("warning:", "33"), safe_lines(text)));
}

/// Prints a warning while the terminal may be raw: lines end with CR and LF.
pub fn warn_raw(text: &str) {
    let text = safe_lines(text).replace('\n', "\r\n");
    print(&format!("{} {text}\r\n", paint("warning:", "33")));
}

/// Prints an error to standard error.
pub fn error(text: &str) {
    print(&format!("{} {}\n", paint("error:", "31;1"), safe_lines(text)));
}

/// Prints a hint to standard error: the next command to type.
pub fn hint(text: &str) {
    print(&format!("{} {}\n", paint("hint:", "36"), safe_lines(text)));
}

/// Whether to use colours: standard error is a terminal, and `NO_COLOR` is not set (no-color.org).
pub fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !refused
}

fn paint(text: &str, colour: &str) -> String {
    if colours() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}
