//! Reads a CLI's output as lines of text and hyperlinks.

use vte::Perform;

use super::{
    FoundUrl, MAX_URLS, url,
    wrapped::{Line, join},
};

/// The longest line; a longer one is not text for people.
pub(super) const MAX_LINE: usize = 16 * 1024;
/// The number of widths of the terminal that are remembered.
const MAX_WIDTHS: usize = 8;

/// The printed text as lines, and the targets of hyperlinks.
pub(super) struct Screen {
    /// The widths that the terminal has had, in columns.
    widths: Vec<usize>,
    /// Complete lines that may hold a URL that is not complete.
    lines: Vec<Line>,
    /// The last line, which is not complete.
    line: String,
    /// Whether the cursor is at the start of the last line, which is about to be written over.
    returned: bool,
    /// Whether the text is that of a hyperlink, whose target is the truth.
    in_link: bool,
    links: Vec<String>,
}

impl Screen {
    pub(super) fn new(columns: Option<u16>) -> Self {
        Self {
            widths: columns.into_iter().map(usize::from).collect(),
            lines: Vec::new(),
            line: String::new(),
            returned: false,
            in_link: false,
            links: Vec::new(),
        }
    }

    pub(super) fn resized(&mut self, columns: u16) {
        self.widths.truncate(MAX_WIDTHS - 1);
        self.widths.insert(0, columns.into());
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
    pub(super) fn take_text_urls(&mut self, paused: bool) -> Vec<FoundUrl> {
        let mut urls = Vec::new();
        let mut lines = self.lines.clone();
        if paused && !self.line.is_empty() {
            lines.push(Line { text: self.line.clone(), is_ended: true });
        }
        let mut first_open = lines.len();
        let mut index = 0;
        while index < lines.len() {
            let Some(start) = url::start(&lines[index].text) else {
                index += 1;
                continue;
            };
            let joined = join(&lines, index, start, &self.widths);
            if joined.is_followed || paused {
                let url = url::trim_punctuation(&joined.text[..url::end(&joined.text)]);
                if url::is_login(url) && !url::is_complaint(&lines[index].text[..start]) {
                    urls.push(FoundUrl { url: url.to_owned(), is_certain: joined.is_certain });
                }
            } else {
                first_open = first_open.min(index);
            }
            index = joined.last + 1;
        }
        if !paused && first_open == lines.len() {
            let url = url::followed_by_text(&self.line).filter(|url| url::is_login(url));
            urls.extend(url.map(|url| FoundUrl { url: url.to_owned(), is_certain: true }));
        }
        let done = if paused { self.lines.len() } else { first_open.min(self.lines.len()) };
        self.lines.drain(..done);
        urls
    }

    /// Ends the line. `is_ended`: by a newline, and not because the cursor moved away.
    fn end_line(&mut self, is_ended: bool) {
        let line = std::mem::take(&mut self.line);
        self.lines.push(Line { text: line.trim_end().to_owned(), is_ended });
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        if std::mem::take(&mut self.returned) && !self.line.is_empty() {
            self.end_line(false);
        }
        if self.line.len() >= MAX_LINE {
            self.line.clear();
        }
        // The border of a frame is not part of the text.
        let is_border = ('\u{2500}'..='\u{257f}').contains(&c);
        self.line.push(if is_border || self.in_link { ' ' } else { c });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.returned = false;
                self.end_line(true);
            }
            b'\r' => self.returned = true,
            b'\t' => self.print(' '),
            // Backspace.
            8 => drop(self.line.pop()),
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        let [b"8", _, rest @ ..] = params else { return };
        let target = rest.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(";");
        self.in_link = !target.is_empty();
        // Other characters than a URL's could be meant for the terminal that shows the target.
        let is_url =
            target.len() < MAX_LINE && target.chars().all(url::is_url_char) && url::is_login(&target);
        if is_url && self.links.len() < MAX_URLS && !self.links.contains(&target) {
            self.links.push(target);
        }
    }

    fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        // A program that moves the cursor redraws its lines: what follows is another line.
        if matches!(action, 'A' | 'B' | 'E' | 'F' | 'G' | 'H' | 'J' | 'd' | 'f') && !self.line.is_empty() {
            self.end_line(false);
        }
    }
}
