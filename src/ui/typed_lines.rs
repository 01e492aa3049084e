//! Lines that a person types or pastes.

use vte::{Params, Parser, Perform};

use crate::credential::Secret;

/// The longest line: longer than any redirect address.
const MAX_LINE: usize = 256 * 1024;
const BACKSPACE: u8 = 8;
const DELETE: char = '\x7f';
const CTRL_U: u8 = 21;

/// An editor of lines, for a terminal that neither edits nor shows what is typed: one that does cuts a line at 4,095
/// bytes. Escape sequences, among them those around a paste, are no part of a line.
#[derive(Default)]
pub struct TypedLines {
    parser: Parser,
    editor: Editor,
}

/// A result of typing.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// Text to show at the terminal as it is.
    Shown(String),
    /// A complete line.
    Line(Secret),
    /// A control key that does not edit the line.
    Key(u8),
}

#[derive(Default)]
struct Editor {
    line: String,
    /// Whether the last line ended with CR, to which an LF belongs.
    returned: bool,
    typed: Vec<Typed>,
}

impl TypedLines {
    /// Takes typed bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Typed> {
        self.parser.advance(&mut self.editor, bytes);
        std::mem::take(&mut self.editor.typed)
    }

    /// Returns the line that has not ended: the last line of a pipe may have no newline.
    pub fn rest(&mut self) -> Secret {
        std::mem::take(&mut self.editor.line).into()
    }
}

impl Editor {
    fn show(&mut self, text: &str) {
        match self.typed.last_mut() {
            Some(Typed::Shown(shown)) => shown.push_str(text),
            _ => self.typed.push(Typed::Shown(text.to_owned())),
        }
    }

    fn erase(&mut self, count: usize) {
        for _ in 0..count {
            if self.line.pop().is_some() {
                self.show("\x08 \x08");
            }
        }
    }
}

impl Perform for Editor {
    fn print(&mut self, c: char) {
        self.returned = false;
        if c == DELETE {
            self.erase(1);
        } else if self.line.len() < MAX_LINE {
            self.line.push(c);
            self.show(c.encode_utf8(&mut [0; 4]));
        }
    }

    /// Keys as the kitty protocol sends them: those with Ctrl are control keys.
    fn csi_dispatch(&mut self, params: &Params, _: &[u8], _: bool, action: char) {
        const CTRL: u16 = 5;
        let key: Vec<u16> = params.iter().filter_map(|param| param.first().copied()).collect();
        if let ([letter @ 97..=122, CTRL], 'u') = (&key[..], action) {
            self.execute((letter - 96) as u8);
        }
    }

    fn execute(&mut self, byte: u8) {
        let belongs = std::mem::replace(&mut self.returned, byte == b'\r') && byte == b'\n';
        match byte {
            b'\n' if belongs => {}
            b'\r' | b'\n' => {
                self.show("\r\n");
                let line = std::mem::take(&mut self.line).into();
                self.typed.push(Typed::Line(line));
            }
            BACKSPACE => self.erase(1),
            CTRL_U => self.erase(self.line.chars().count()),
            other if other < 32 => self.typed.push(Typed::Key(other)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that is shown, the lines, and the other keys.
    fn typed(pieces: &[&[u8]]) -> (String, Vec<String>, Vec<u8>) {
        let (mut typing, mut all) = (TypedLines::default(), (String::new(), Vec::new(), Vec::new()));
        for typed in pieces.iter().flat_map(|piece| typing.feed(piece)) {
            match typed {
                Typed::Shown(text) => all.0.push_str(&text),
                Typed::Line(line) => all.1.push(line.expose().to_owned()),
                Typed::Key(key) => all.2.push(key),
            }
        }
        all.1.push(typing.rest().expose().to_owned());
        all
    }

    #[test]
    fn lines_of_a_bracketed_paste_are_complete_and_clean() {
        let long = "x".repeat(100_000);
        let paste = format!("\x1b[200~{long}\r\nsecond\x1b[201~\r");
        for size in [1, 3, 1024] {
            let pieces: Vec<&[u8]> = paste.as_bytes().chunks(size).collect();
            let (shown, lines, keys) = typed(&pieces);
            assert_eq!(lines, [&long, "second", ""], "in pieces of {size}");
            assert_eq!((shown, keys), (format!("{long}\r\nsecond\r\n"), vec![]));
        }
    }

    #[test]
    fn line_is_edited_as_it_is_shown() {
        let (shown, lines, keys) = typed(&[b"ab\xc3", b"\xa9\x7f\x08c\x03\x1b[Dd\n"]);
        assert_eq!(lines, ["acd", ""]);
        assert_eq!(shown, "ab\u{e9}\x08 \x08\x08 \x08cd\r\n");
        assert_eq!(keys, [3]);
        assert_eq!(typed(&[b"wrong\x15right\r"]).1, ["right", ""]);
        assert_eq!(typed(&[b"\x1b[99;5u\x1b[97u"]), (String::new(), vec![String::new()], vec![3]));
    }
}
