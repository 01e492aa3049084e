//! Tables, JSON and messages.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ColumnConstraint, Table, presets};
use serde_json::Value;

/// Prints one JSON document.
pub fn json(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)
}

/// Prints lines of text.
pub fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
}

/// Prints a table without lines; one row a line, whatever the terminal's width.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| safe(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2)).set_constraint(ColumnConstraint::ContentWidth);
    }
    let mut out = io::stdout().lock();
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A text from elsewhere that cannot move a terminal's cursor.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Something for the person at the terminal.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A warning.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "{} {text}", paint("warning:", "33"));
}

/// An error.
pub fn error(text: &str) {
    let _ = writeln!(io::stderr(), "{} {text}", paint("error:", "31;1"));
}

/// What to do next.
pub fn hint(text: &str) {
    let _ = writeln!(io::stderr(), "{} {text}", paint("hint:", "36"));
}

/// Colours, for people at a terminal who have nothing against them (no-color.org).
pub fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !refused
}

fn paint(text: &str, colour: &str) -> String {
    if colours() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}
