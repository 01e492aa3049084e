//! Finds the login URL in a vendor CLI's output, complete, however it is split or wrapped.

mod screen;
#[cfg(test)]
mod tests;
mod url;

use std::collections::HashSet;

use vte::Parser;

use self::screen::Screen;

/// The number of URLs that are shown, whatever a CLI prints.
const MAX_URLS: usize = 8;

/// A reader of a CLI's output that returns each login URL once.
pub struct UrlFinder {
    parser: Parser,
    screen: Screen,
    seen: HashSet<String>,
}

impl UrlFinder {
    /// Makes a finder for a terminal with that many columns, or for output without a terminal, which wraps nothing.
    pub fn new(columns: Option<u16>) -> Self {
        Self { parser: Parser::new(), screen: Screen::new(columns), seen: HashSet::new() }
    }

    /// Takes a piece of output and returns the URLs that are complete now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.parser.advance(&mut self.screen, bytes);
        self.take(false)
    }

    /// Returns a URL at the end of the output: after a pause, or at the end, it is complete.
    pub fn pause(&mut self) -> Vec<String> {
        self.take(true)
    }

    fn take(&mut self, paused: bool) -> Vec<String> {
        let mut urls = self.screen.take_links();
        urls.extend(self.screen.take_text_urls(paused));
        urls.retain(|url| self.seen.len() < MAX_URLS && self.seen.insert(url.clone()));
        urls
    }
}
