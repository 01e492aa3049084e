use super::{screen::MAX_LINE, *};

const URL: &str = "https://auth.example.com/oauth/authorize?response_type=code&client_id=app_1&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid%20profile&state=abcdefghijklmnopqrstuvwxyz0123456789";

fn find(columns: Option<u16>, pieces: &[&str]) -> Vec<String> {
    let mut finder = UrlFinder::new(columns);
    let mut found: Vec<FoundUrl> = pieces.iter().flat_map(|piece| finder.feed(piece.as_bytes())).collect();
    found.extend(finder.pause());
    urls(found)
}

fn urls(found: Vec<FoundUrl>) -> Vec<String> {
    found.into_iter().map(|found| found.url).collect()
}

/// The URLs that are certain.
fn certain(columns: Option<u16>, text: &str) -> Vec<String> {
    let mut finder = UrlFinder::new(columns);
    let mut found = finder.feed(text.as_bytes());
    found.extend(finder.pause());
    found.retain(|found| found.is_certain);
    urls(found)
}

fn wrap(text: &str, width: usize, before: &str, after: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(width).map(|c| format!("{before}{}{after}\r\n", c.iter().collect::<String>())).collect()
}

#[test]
fn url_split_into_pieces_is_found_once_and_complete() {
    let text = format!("Go to {URL} now\n");
    for size in [1, 7, 64] {
        let bytes = text.as_bytes();
        let mut finder = UrlFinder::new(Some(80));
        let found = bytes.chunks(size).flat_map(|piece| finder.feed(piece)).collect();
        assert_eq!(urls(found), [URL], "in pieces of {size}");
        assert!(finder.pause().is_empty());
    }
}

#[test]
fn url_that_is_incomplete_is_not_returned() {
    let mut finder = UrlFinder::new(None);
    let (start, rest) = URL.split_at(60);
    assert!(finder.feed(start.as_bytes()).is_empty());
    assert_eq!(urls(finder.feed(format!("{rest} now").as_bytes())), [URL]);
}

#[test]
fn url_wrapped_and_split_into_pieces_is_joined() {
    for text in [wrap(URL, 80, "", ""), wrap(URL, 74, "│ ", " │"), format!("{URL}\nand wait\n")] {
        for size in [1, 7, 64] {
            let mut finder = UrlFinder::new(Some(80));
            let mut found: Vec<FoundUrl> =
                text.as_bytes().chunks(size).flat_map(|piece| finder.feed(piece)).collect();
            found.extend(finder.pause());
            assert_eq!(urls(found), [URL], "in pieces of {size}: {text}");
        }
    }
}

#[test]
fn url_among_much_other_output_is_found() {
    let lines: String = (0..200).map(|n| format!("line {n}\r\n")).collect();
    assert_eq!(find(Some(80), &[&format!("{URL}\r\n{lines}")]), [URL]);
    let link = |url: &str| format!("\x1b]8;;{url}\x07x\x1b]8;;\x07");
    let docs: String = (0..20).map(|n| link(&format!("https://example.com/docs/{n}"))).collect();
    assert_eq!(find(Some(80), &[&(docs + &link(URL))]), [URL]);
}

#[test]
fn url_wrapped_over_lines_is_joined() {
    assert_eq!(find(Some(80), &[&wrap(URL, 80, "", "")]), [URL], "by the terminal's width");
    assert_eq!(find(Some(80), &[&wrap(URL, 76, "  ", "")]), [URL], "indented");
    assert_eq!(find(Some(80), &[&wrap(URL, 76, "│ ", " │")]), [URL], "in a frame");
    assert_eq!(find(None, &[&wrap(URL, 72, "", "")]), [URL], "by a CLI that knows no terminal");
}

#[test]
fn text_after_a_url_is_not_part_of_it() {
    let text = "Open https://example.com/device\r\nEnter the code ABCD-1234\r\n";
    assert_eq!(find(Some(80), &[text]), ["https://example.com/device"]);
    let text = "Open https://example.com/device.\r\n\r\nwaiting\r\n";
    assert_eq!(find(Some(31), &[text]), ["https://example.com/device"]);
    assert_eq!(find(None, &["(see https://example.com/login?x=1)\n"]), ["https://example.com/login?x=1"]);
}

#[test]
fn url_in_colours_or_a_hyperlink_is_found() {
    assert_eq!(find(Some(80), &[&format!("\x1b[94m{URL}\x1b[0m\r\n")]), [URL]);
    assert_eq!(find(Some(40), &[&format!("\x1b]8;;{URL}\x1b\\click here\x1b]8;;\x1b\\\r\n")]), [URL]);
    assert_eq!(find(Some(40), &[&format!("\x1b]8;id=1;{URL}\x07x\x1b]8;;\x07\r\n")]), [URL]);
}

#[test]
fn url_without_login_words_is_ignored() {
    let text = "Starting server on http://localhost:1455.\nDocs: https://example.com/docs\n";
    assert!(find(None, &[text]).is_empty());
}

#[test]
fn url_in_an_error_message_is_ignored() {
    let api = "https://auth.example.com/api/deviceauth";
    let says = format!("Error logging in: error sending request for url ({api})\n");
    assert!(find(Some(80), &[&says]).is_empty());
    assert!(find(None, &[&says.replace('\n', " [retrying]")]).is_empty());
    let says = format!("Failed to open a browser. Go to {URL} (code ABCD) instead\n");
    assert_eq!(find(None, &[&says]), [URL]);
}

#[test]
fn url_that_is_no_web_page_is_ignored() {
    for url in ["vscode://evil/login", "file:///etc/login", "javascript:login()", "ssh://x/auth"] {
        assert!(find(None, &[&format!("\x1b]8;;{url}\x1b\\x\x1b]8;;\x1b\\ {url} \n")]).is_empty(), "{url}");
    }
}

#[test]
fn hyperlink_with_other_characters_than_a_urls_is_ignored() {
    for odd in [" ", "\u{9b}31m", "\u{202e}", "\u{e9}"] {
        let link = format!("\x1b]8;;https://example.com/login{odd}x\x1b\\x\x1b]8;;\x1b\\\r\n");
        assert!(find(None, &[&link]).is_empty(), "{odd:?}");
    }
}

#[test]
fn finder_keeps_bounded_memory_and_urls() {
    let mut finder = UrlFinder::new(None);
    let many: String = (0..1000).map(|i| format!("https://example.com/login/{i}\n")).collect();
    assert!(finder.feed(many.as_bytes()).len() <= MAX_URLS);
    finder.feed("x".repeat(1 << 20).as_bytes());
    assert!(finder.screen.line_len() <= MAX_LINE);
}

#[test]
fn whole_url_is_certain() {
    for text in [
        format!("{URL}\r\n\r\nwaiting\r\n"),
        "Open https://example.com/device\r\nEnter the code ABCD-1234\r\n".to_owned(),
        "Open https://example.com/device\r\nWaiting...\r\n".to_owned(),
        wrap(URL, 80, "", ""),
        wrap(URL, 76, "│ ", " │"),
        format!("{}\r\nPaste the code here\r\n", wrap(URL, 80, "", "")),
        format!("\x1b]8;;{URL}\x07{}\x1b]8;;\x07\r\n", &URL[..60]),
        format!("\x1b]8;;{URL}\x07{}\x1b]8;;\x07", wrap(URL, 70, " ", "")),
    ] {
        let expected = if text.contains("device") { "https://example.com/device" } else { URL };
        assert_eq!(certain(Some(80), &text), [expected], "{text}");
    }
}

/// The line is about as wide as the screen, or the CLI may have wrapped it with a margin of its own.
#[test]
fn url_that_may_have_been_cut_or_joined_is_not_certain() {
    let of_width =
        |width: usize| format!("{:.width$}", format!("https://example.com/login?x={}", "a".repeat(200)));
    for (text, shown) in [
        (format!("{}\r\nWaiting\r\n", of_width(80)), true),
        (format!("{}\r\nWaiting for you\r\n", of_width(79)), true),
        (format!("{}\r\ntrue&more=1\r\n", of_width(64)), true),
        (format!("See {}\r\n    4%20f\r\n", of_width(44)), true),
        (format!("{}\r\x1b[2KWaiting\r\n", of_width(40)), true),
        (format!("{}\x1b[3;1HWaiting\r\n", of_width(40)), true),
        (
            format!(
                "https://user@evil.example/login?x=1\r\n\r\n{}",
                "\x1b]8;;https://a:b@evil.example/login\x07x\x1b]8;;\x07"
            ),
            false,
        ),
    ] {
        assert_eq!(certain(Some(80), &text), [""; 0], "{text}");
        assert_eq!(find(Some(80), &[&text]).is_empty(), !shown, "{text}");
    }
}

#[test]
fn url_wrapped_for_a_former_width_is_certain() {
    let mut finder = UrlFinder::new(Some(90));
    finder.resized(70);
    for width in [90, 70] {
        let url = URL.replace("app_1", &format!("app_{width}"));
        let mut found = finder.feed(wrap(&url, width, "", "").as_bytes());
        found.extend(finder.pause());
        assert_eq!(found, [FoundUrl { url, is_certain: true }]);
    }
}

#[test]
fn url_that_was_typed_is_an_echo() {
    let typed = "https://evil.example/login?x=1";
    let mut finder = UrlFinder::new(Some(80));
    let mut found = Vec::new();
    // A key at a time, with pauses and a correction, as an editor shows it.
    for key in format!("{}X\x7f{}\r", &typed[..25], &typed[25..]).chars() {
        finder.typed(key.to_string().as_bytes());
        let echo = if key == '\x7f' { "\x08 \x08".to_owned() } else { key.to_string() };
        found.extend(finder.feed(echo.as_bytes()));
        found.extend(finder.pause());
    }
    found.extend(finder.feed(format!("\r\nYou said {typed}.\r\n\r\n").as_bytes()));
    assert_eq!(found, []);
    let others = finder.feed(format!("{typed}&more=1 and {URL} are\r\n{URL} now\r\n").as_bytes());
    let doubtful = FoundUrl { url: format!("{typed}&more=1"), is_certain: false };
    assert_eq!(others, [doubtful, FoundUrl { url: URL.to_owned(), is_certain: true }]);
}
