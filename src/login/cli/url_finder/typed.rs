//! Remembers typed text, to tell its echo from a CLI's own output.

use url::{Origin, Url};
use vte::{Parser, Perform};

/// The typed text that is remembered at least, in bytes.
const MEMORY: usize = 16 * 1024;

/// The text that was typed last.
#[derive(Default)]
pub(super) struct Typed {
    parser: Parser,
    text: Text,
}

#[derive(Default)]
struct Text(String);

impl Typed {
    pub(super) fn feed(&mut self, keys: &[u8]) {
        self.parser.advance(&mut self.text, keys);
        let text = &mut self.text.0;
        if text.len() > 2 * MEMORY {
            let from = (text.len() - MEMORY..text.len()).find(|&at| text.is_char_boundary(at));
            text.drain(..from.unwrap_or_default());
        }
    }

    /// Returns whether a URL was typed, as a whole or as a part of a longer one.
    pub(super) fn has(&self, url: &str) -> bool {
        self.text.0.contains(url)
    }

    /// Returns whether a URL of the same origin was typed.
    pub(super) fn has_origin_of(&self, url: &str) -> bool {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin()).filter(Origin::is_tuple);
        let Some(wanted) = origin(url) else { return false };
        let mut typed = self.text.0.match_indices("http").map(|(at, _)| &self.text.0[at..]);
        typed.any(|text| origin(&text[..super::url::end(text)]).as_ref() == Some(&wanted))
    }
}

impl Perform for Text {
    fn print(&mut self, c: char) {
        match c {
            // Delete, as most terminals send it for backspace.
            '\x7f' => drop(self.0.pop()),
            c => self.0.push(c),
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            8 => drop(self.0.pop()),
            b'\r' | b'\n' => self.0.push('\n'),
            _ => {}
        }
    }
}
