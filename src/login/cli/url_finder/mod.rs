//! Finds the login URL in a vendor CLI's output, complete, however it is split or wrapped.

mod screen;
#[cfg(test)]
mod tests;
mod typed;
mod url;
mod wrapped;

use std::collections::HashSet;

use vte::Parser;

use self::{screen::Screen, typed::Typed};

/// The number of URLs that are shown, whatever a CLI prints.
const MAX_URLS: usize = 8;

/// A URL in the output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoundUrl {
    /// The URL.
    pub url: String,
    /// Whether it is certainly whole, and the CLI's own.
    pub is_certain: bool,
}

/// A reader of a CLI's output that returns each login URL once.
pub struct UrlFinder {
    parser: Parser,
    screen: Screen,
    typed: Typed,
    seen: HashSet<String>,
}

impl UrlFinder {
    /// Makes a finder for a terminal with that many columns, or for output without a terminal, which wraps nothing.
    pub fn new(columns: Option<u16>) -> Self {
        let (screen, typed) = (Screen::new(columns), Typed::default());
        Self { parser: Parser::new(), screen, typed, seen: HashSet::new() }
    }

    /// Takes a piece of output and returns the URLs that are complete now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<FoundUrl> {
        self.parser.advance(&mut self.screen, bytes);
        self.take(false)
    }

    /// Returns a URL at the end of the output: after a pause, or at the end, it is complete.
    pub fn pause(&mut self) -> Vec<FoundUrl> {
        self.take(true)
    }

    /// Takes the keys that were sent to the CLI, which may print them.
    pub fn typed(&mut self, keys: &[u8]) {
        self.typed.feed(keys);
    }

    /// Takes another width of the terminal. The CLI may go on to use the former one.
    pub fn resized(&mut self, columns: u16) {
        self.screen.resized(columns);
    }

    fn take(&mut self, paused: bool) -> Vec<FoundUrl> {
        let links = self.screen.take_links().into_iter();
        let mut found: Vec<_> = links.map(|url| FoundUrl { url, is_certain: true }).collect();
        found.extend(self.screen.take_text_urls(paused));
        found.retain_mut(|found| {
            found.is_certain &= !self.typed.has_origin_of(&found.url);
            !self.typed.has(&found.url) && self.seen.len() < MAX_URLS && self.seen.insert(found.url.clone())
        });
        found
    }
}
