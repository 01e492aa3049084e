//! Finds the login URL in what a vendor's CLI prints, whole, however it was split or wrapped.

use std::collections::HashSet;

use url::Url;
use vte::{Parser, Perform};

/// A line longer than this is not text for people.
const MAX_LINE: usize = 16 * 1024;
/// No URL takes more lines.
const MAX_LINES: usize = 64;
/// URLs shown at most, whatever a CLI prints.
const MAX_URLS: usize = 8;
/// A CLI that wraps its own output leaves at most this many columns free.
const MARGIN: usize = 2;

/// Words in the paths of pages to log in at.
const LOGIN_WORDS: [&str; 8] =
    ["auth", "login", "signin", "sign-in", "device", "activate", "verify", "connect"];

/// Takes a CLI's output as it comes and gives out login URLs, each once.
pub struct UrlFinder {
    parser: Parser,
    screen: Screen,
    seen: HashSet<String>,
}

impl UrlFinder {
    /// For a terminal of that many columns; without a terminal nothing was wrapped by one.
    pub fn new(columns: Option<u16>) -> Self {
        let screen = Screen { columns: columns.map(usize::from), ..Screen::default() };
        Self { parser: Parser::new(), screen, seen: HashSet::new() }
    }

    /// Takes a piece of output; the URLs that are now known to be whole.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.parser.advance(&mut self.screen, bytes);
        self.take(false)
    }

    /// The output has paused or ended: a URL at its end is whole, too.
    pub fn pause(&mut self) -> Vec<String> {
        self.take(true)
    }

    fn take(&mut self, paused: bool) -> Vec<String> {
        let mut urls: Vec<String> = std::mem::take(&mut self.screen.links);
        urls.extend(self.screen.text_urls(paused));
        urls.retain(|url| self.seen.len() < MAX_URLS && self.seen.insert(url.clone()));
        urls
    }
}

/// The printed text as lines, and the targets of hyperlinks.
#[derive(Default)]
struct Screen {
    columns: Option<usize>,
    lines: Vec<String>,
    line: String,
    links: Vec<String>,
}

impl Screen {
    /// URLs in the lines kept. A line that ends in a URL may go on in the next one, so it is kept until that is whole,
    /// however small the pieces are in which it comes.
    fn text_urls(&mut self, paused: bool) -> Vec<String> {
        let mut urls = Vec::new();
        let mut lines = self.lines.clone();
        if paused && !self.line.is_empty() {
            lines.push(self.line.clone());
        }
        let mut first_open = lines.len();
        let mut index = 0;
        while index < lines.len() {
            let Some(start) = url_start(&lines[index]) else {
                index += 1;
                continue;
            };
            let mut text = lines[index][start..].to_owned();
            let mut last = index;
            while end_of_url(&text) == text.len() && last + 1 < lines.len() && last - index < MAX_LINES {
                let Some(more) = continuation(&lines, index, last, self.columns) else { break };
                text.push_str(&more);
                last += 1;
            }
            let ended = end_of_url(&text) < text.len() || last + 1 < lines.len();
            if ended || paused {
                let url = trim_punctuation(&text[..end_of_url(&text)]);
                if is_login(url) && !is_complaint(&lines[index][..start]) {
                    urls.push(url.to_owned());
                }
            } else {
                first_open = first_open.min(index);
            }
            index = last + 1;
        }
        // In the line that is not whole yet, what has more text behind it.
        if !paused && first_open == lines.len() {
            urls.extend(ended_url(&self.line).filter(|url| is_login(url)).map(str::to_owned));
        }
        let kept = if paused { self.lines.len() } else { first_open.min(self.lines.len()) };
        self.lines.drain(..kept);
        urls
    }
}

/// The part of the next line that goes on with a URL which ends line `last`: when that line is as full as the
/// terminal, or as the wrapped lines before it, and the next one starts without a break.
fn continuation(lines: &[String], first: usize, last: usize, columns: Option<usize>) -> Option<String> {
    let next = lines.get(last + 1)?;
    let width = lines[last].chars().count();
    let full = match columns {
        // A longer line was wrapped by nobody but the terminal.
        Some(columns) => width + MARGIN >= columns && width <= columns,
        None => false,
    };
    let as_full_as_before = last > first && lines[last - 1].chars().count() == width;
    // A frame or an indent that wraps every line alike.
    let indent = lines[last].len() - lines[last].trim_start().len();
    let text = next.get(indent..).filter(|_| next.bytes().take(indent).all(|b| b == b' ')).unwrap_or(next);
    let goes_on =
        !text.is_empty() && !text.starts_with(char::is_whitespace) && is_url_char(text.chars().next()?);
    let wrapped_hard = width >= 60 && next.split_whitespace().count() == 1 && looks_like_query(&lines[first]);
    (goes_on && url_start(text) != Some(0) && (full || as_full_as_before || wrapped_hard))
        .then(|| text.to_owned())
}

/// A URL with a query is what gets long enough to be wrapped by a CLI that does not know the terminal.
fn looks_like_query(line: &str) -> bool {
    url_start(line).is_some_and(|start| line[start..].contains('?'))
}

fn url_start(line: &str) -> Option<usize> {
    match (line.find("https://"), line.find("http://")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

fn end_of_url(text: &str) -> usize {
    text.find(|c| !is_url_char(c)).unwrap_or(text.len())
}

/// The URL in a line that goes on behind it. White space alone may be the edge of a frame.
fn ended_url(line: &str) -> Option<&str> {
    let (before, text) = line.split_at(url_start(line)?);
    let (url, rest) = text.split_at(end_of_url(text));
    (!rest.trim().is_empty() && !is_complaint(before)).then(|| trim_punctuation(url))
}

/// A sentence's punctuation after a URL is not part of it.
fn trim_punctuation(url: &str) -> &str {
    url.trim_end_matches(['.', ',', ';', ':', '!', ')', ']', '\''])
}

/// Whether a URL after this text is what a request failed for: HTTP libraries put it in brackets.
fn is_complaint(before: &str) -> bool {
    let before = before.to_ascii_lowercase();
    before.ends_with('(') && ["error", "failed"].iter().any(|word| before.contains(word))
}

/// Whether a person would log in there: by the words of its path, or by the query of RFC 6749 section 4.1.1.
fn is_login(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let queried =
        url.query_pairs().any(|(name, _)| matches!(&*name, "client_id" | "user_code" | "redirect_uri"));
    let is_callback = url.port().is_some() && url.path() == "/";
    let path = url.path().to_ascii_lowercase();
    let worded = LOGIN_WORDS.iter().any(|word| path.contains(word));
    // Whatever a container prints may be opened on the host: only what a browser shows.
    let is_page = matches!(url.scheme(), "https" | "http") && url.has_host();
    is_page && !is_callback && (queried || worded)
}

impl Screen {
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.lines.push(line.trim_end().to_owned());
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        if self.line.len() >= MAX_LINE {
            self.line.clear();
        }
        // A frame's border is not part of the text in it.
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
        // OSC 8: the target of a hyperlink, never wrapped.
        if let [b"8", _, rest @ ..] = params
            && self.links.len() < MAX_URLS
        {
            let target = rest.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(";");
            // Whatever is no sign of a URL could be meant for the terminal that it is shown on.
            let is_url = target.len() < MAX_LINE && target.chars().all(is_url_char) && is_login(&target);
            if is_url && !self.links.contains(&target) {
                self.links.push(target);
            }
        }
    }

    fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        // A program that moves the cursor paints its lines anew: what comes is another line.
        if matches!(action, 'A' | 'B' | 'E' | 'F' | 'G' | 'H' | 'J' | 'd' | 'f') && !self.line.is_empty() {
            self.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://auth.example.com/oauth/authorize?response_type=code&client_id=app_1&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid%20profile&state=abcdefghijklmnopqrstuvwxyz0123456789";

    fn find(columns: Option<u16>, pieces: &[&str]) -> Vec<String> {
        let mut finder = UrlFinder::new(columns);
        let mut urls: Vec<String> = pieces.iter().flat_map(|piece| finder.feed(piece.as_bytes())).collect();
        urls.extend(finder.pause());
        urls
    }

    fn wrap(text: &str, width: usize, before: &str, after: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        chars.chunks(width).map(|c| format!("{before}{}{after}\r\n", c.iter().collect::<String>())).collect()
    }

    #[test]
    fn a_url_split_anywhere_is_found_once_and_whole() {
        let text = format!("Go to {URL} now\n");
        for size in [1, 7, 64] {
            let bytes = text.as_bytes();
            let mut finder = UrlFinder::new(Some(80));
            let urls: Vec<String> = bytes.chunks(size).flat_map(|piece| finder.feed(piece)).collect();
            assert_eq!(urls, [URL], "in pieces of {size}");
            assert!(finder.pause().is_empty());
        }
    }

    #[test]
    fn a_url_is_not_given_out_before_it_is_whole() {
        let mut finder = UrlFinder::new(None);
        let (start, rest) = URL.split_at(60);
        assert!(finder.feed(start.as_bytes()).is_empty());
        assert_eq!(finder.feed(format!("{rest} now").as_bytes()), [URL]);
    }

    #[test]
    fn a_wrapped_url_is_put_together_however_small_the_pieces_are() {
        for text in [wrap(URL, 80, "", ""), wrap(URL, 74, "│ ", " │"), format!("{URL}\nand wait\n")] {
            for size in [1, 7, 64] {
                let mut finder = UrlFinder::new(Some(80));
                let mut urls: Vec<String> =
                    text.as_bytes().chunks(size).flat_map(|piece| finder.feed(piece)).collect();
                urls.extend(finder.pause());
                assert_eq!(urls, [URL], "in pieces of {size}: {text}");
            }
        }
    }

    #[test]
    fn a_url_is_found_however_much_comes_with_it() {
        let lines: String = (0..200).map(|n| format!("line {n}\r\n")).collect();
        assert_eq!(find(Some(80), &[&format!("{URL}\r\n{lines}")]), [URL]);
        let link = |url: &str| format!("\x1b]8;;{url}\x07x\x1b]8;;\x07");
        let docs: String = (0..20).map(|n| link(&format!("https://example.com/docs/{n}"))).collect();
        assert_eq!(find(Some(80), &[&(docs + &link(URL))]), [URL]);
    }

    #[test]
    fn a_wrapped_url_is_put_together() {
        assert_eq!(find(Some(80), &[&wrap(URL, 80, "", "")]), [URL], "by the terminal's width");
        assert_eq!(find(Some(80), &[&wrap(URL, 76, "  ", "")]), [URL], "indented");
        assert_eq!(find(Some(80), &[&wrap(URL, 76, "│ ", " │")]), [URL], "in a frame");
        assert_eq!(find(None, &[&wrap(URL, 72, "", "")]), [URL], "by a CLI that knows no terminal");
    }

    #[test]
    fn what_follows_a_url_is_not_taken_for_it() {
        let text = "Open https://example.com/device\r\nEnter the code ABCD-1234\r\n";
        assert_eq!(find(Some(80), &[text]), ["https://example.com/device"]);
        let text = "Open https://example.com/device.\r\n\r\nwaiting\r\n";
        assert_eq!(find(Some(31), &[text]), ["https://example.com/device"]);
        assert_eq!(find(None, &["(see https://example.com/login?x=1)\n"]), ["https://example.com/login?x=1"]);
    }

    #[test]
    fn colours_and_hyperlinks_do_not_hide_it() {
        assert_eq!(find(Some(80), &[&format!("\x1b[94m{URL}\x1b[0m\r\n")]), [URL]);
        assert_eq!(find(Some(40), &[&format!("\x1b]8;;{URL}\x1b\\click here\x1b]8;;\x1b\\\r\n")]), [URL]);
        assert_eq!(find(Some(40), &[&format!("\x1b]8;id=1;{URL}\x07x\x1b]8;;\x07\r\n")]), [URL]);
    }

    #[test]
    fn other_urls_are_left_alone() {
        let text = "Starting server on http://localhost:1455.\nDocs: https://example.com/docs\n";
        assert!(find(None, &[text]).is_empty());
    }

    #[test]
    fn what_a_request_failed_for_is_no_page() {
        let api = "https://auth.example.com/api/deviceauth";
        let says = format!("Error logging in: error sending request for url ({api})\n");
        assert!(find(Some(80), &[&says]).is_empty());
        assert!(find(None, &[&says.replace('\n', " [retrying]")]).is_empty());
        let says = format!("Failed to open a browser. Go to {URL} (code ABCD) instead\n");
        assert_eq!(find(None, &[&says]), [URL]);
    }

    #[test]
    fn only_pages_are_opened() {
        for url in ["vscode://evil/login", "file:///etc/login", "javascript:login()", "ssh://x/auth"] {
            assert!(
                find(None, &[&format!("\x1b]8;;{url}\x1b\\x\x1b]8;;\x1b\\ {url} \n")]).is_empty(),
                "{url}"
            );
        }
    }

    #[test]
    fn a_link_is_made_of_the_signs_of_a_url() {
        for odd in [" ", "\u{9b}31m", "\u{202e}", "\u{e9}"] {
            let link = format!("\x1b]8;;https://example.com/login{odd}x\x1b\\x\x1b]8;;\x1b\\\r\n");
            assert!(find(None, &[&link]).is_empty(), "{odd:?}");
        }
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut finder = UrlFinder::new(None);
        let many: String = (0..1000).map(|i| format!("https://example.com/login/{i}\n")).collect();
        assert!(finder.feed(many.as_bytes()).len() <= MAX_URLS);
        finder.feed("x".repeat(1 << 20).as_bytes());
        assert!(finder.screen.line.len() <= MAX_LINE);
    }
}
