//! Reads a CLI's output as lines of text and hyperlinks, and joins URLs that were wrapped.

use vte::Perform;

use super::{MAX_URLS, url};

/// The longest line; a longer one is not text for people.
pub(super) const MAX_LINE: usize = 16 * 1024;
/// The number of lines that a URL covers at most.
const MAX_LINES: usize = 64;
/// The number of columns that a CLI that wraps its own output leaves free at most.
const MARGIN: usize = 2;
/// The width from which a line may have been wrapped by a CLI that does not know the terminal.
const WRAPPED_WIDTH: usize = 60;

/// The printed text as lines, and the targets of hyperlinks.
pub(super) struct Screen {
    columns: Option<usize>,
    /// Complete lines that may hold a URL that is not complete.
    lines: Vec<String>,
    /// The last line, which is not complete.
    line: String,
    links: Vec<String>,
}

/// A URL in the lines, joined over several lines if it was wrapped.
struct Joined {
    text: String,
    /// The last line that it covers.
    last: usize,
    /// Whether something follows it.
    ended: bool,
}

impl Screen {
    pub(super) fn new(columns: Option<u16>) -> Self {
        Self { columns: columns.map(usize::from), lines: Vec::new(), line: String::new(), links: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn line_len(&self) -> usize {
        self.line.len()
    }

    /// Takes the targets of hyperlinks.
    pub(super) fn take_links(&mut self) -> Vec<String> {
        std::mem::take(&mut self.links)
    }

    /// Takes the complete login URLs of the text. A line that ends in a URL may continue in the next line, so it is
    /// kept until the URL is complete. `paused`: nothing follows, so a URL at the end is complete.
    pub(super) fn take_text_urls(&mut self, paused: bool) -> Vec<String> {
        let mut urls = Vec::new();
        let mut lines = self.lines.clone();
        if paused && !self.line.is_empty() {
            lines.push(self.line.clone());
        }
        let mut first_open = lines.len();
        let mut index = 0;
        while index < lines.len() {
            let Some(start) = url::start(&lines[index]) else {
                index += 1;
                continue;
            };
            let joined = join(&lines, index, start, self.columns);
            if joined.ended || paused {
                let url = url::trim_punctuation(&joined.text[..url::end(&joined.text)]);
                if url::is_login(url) && !url::is_complaint(&lines[index][..start]) {
                    urls.push(url.to_owned());
                }
            } else {
                first_open = first_open.min(index);
            }
            index = joined.last + 1;
        }
        if !paused && first_open == lines.len() {
            let url = url::followed_by_text(&self.line);
            urls.extend(url.filter(|url| url::is_login(url)).map(str::to_owned));
        }
        let done = if paused { self.lines.len() } else { first_open.min(self.lines.len()) };
        self.lines.drain(..done);
        urls
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.lines.push(line.trim_end().to_owned());
    }
}

/// Joins the URL that starts at `start` of line `first` with its continuations in the lines below.
fn join(lines: &[String], first: usize, start: usize, columns: Option<usize>) -> Joined {
    let mut text = lines[first][start..].to_owned();
    let mut last = first;
    while url::end(&text) == text.len() && last + 1 < lines.len() && last - first < MAX_LINES {
        let Some(more) = continuation(lines, first, last, columns) else { break };
        text.push_str(&more);
        last += 1;
    }
    let ended = url::end(&text) < text.len() || last + 1 < lines.len();
    Joined { text, last, ended }
}

/// Returns the part of the next line that continues a URL at the end of line `last`: when that line is as full as the
/// terminal or as the wrapped lines before it, and the next line starts without a break.
fn continuation(lines: &[String], first: usize, last: usize, columns: Option<usize>) -> Option<String> {
    let next = lines.get(last + 1)?;
    let width = lines[last].chars().count();
    let full = match columns {
        // A line longer than the terminal was not wrapped by the CLI.
        Some(columns) => width + MARGIN >= columns && width <= columns,
        None => false,
    };
    let as_full_as_before = last > first && lines[last - 1].chars().count() == width;
    // A frame or an indent, the same in every line.
    let indent = lines[last].len() - lines[last].trim_start().len();
    let text = next.get(indent..).filter(|_| next.bytes().take(indent).all(|b| b == b' ')).unwrap_or(next);
    let continues = text.chars().next().is_some_and(|c| !c.is_whitespace() && url::is_url_char(c));
    let wrapped_hard =
        width >= WRAPPED_WIDTH && next.split_whitespace().count() == 1 && has_query(&lines[first]);
    (continues && url::start(text) != Some(0) && (full || as_full_as_before || wrapped_hard))
        .then(|| text.to_owned())
}

/// Returns whether the URL of a line has a query: only such a URL gets long enough to be wrapped by a CLI that does not
/// know the terminal.
fn has_query(line: &str) -> bool {
    url::start(line).is_some_and(|start| line[start..].contains('?'))
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        if self.line.len() >= MAX_LINE {
            self.line.clear();
        }
        // The border of a frame is not part of the text.
        self.line.push(if ('\u{2500}'..='\u{257f}').contains(&c) { ' ' } else { c });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end_line(),
            b'\t' => self.print(' '),
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        // OSC 8 is a hyperlink; its target is never wrapped.
        if let [b"8", _, rest @ ..] = params
            && self.links.len() < MAX_URLS
        {
            let target = rest.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(";");
            // Other characters than a URL's could be meant for the terminal that shows the target.
            let is_url =
                target.len() < MAX_LINE && target.chars().all(url::is_url_char) && url::is_login(&target);
            if is_url && !self.links.contains(&target) {
                self.links.push(target);
            }
        }
    }

    fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        // A program that moves the cursor redraws its lines: what follows is another line.
        if matches!(action, 'A' | 'B' | 'E' | 'F' | 'G' | 'H' | 'J' | 'd' | 'f') && !self.line.is_empty() {
            self.end_line();
        }
    }
}
