//! What may be shown of a text that somebody typed or somebody else wrote.

use std::{borrow::Cow, path::Path};

/// At most this much of something typed is repeated.
const SHORT: usize = 20;
/// Words have few digits; keys have many.
const FEW_DIGITS: usize = 3;

/// What stands for something that could be a key.
const REDACTED: &str = "... (not repeated: it could be a key)";

/// Something typed, quoted for a message. What could be a key is not repeated: a slip puts one anywhere.
pub fn quote(text: &str) -> String {
    if looks_safe(text) { format!("{text:?}") } else { "\"...\" (not repeated: it could be a key)".into() }
}

/// The same for a name, without quotes.
pub fn redact_name(text: &str) -> &str {
    if looks_safe(text) { text } else { REDACTED }
}

/// The same for a name of a command that is shown to be typed: its place is named where it could be a key.
pub fn redact_or<'a>(text: &'a str, place: &'a str) -> &'a str {
    if looks_safe(text) { text } else { place }
}

/// The same for a file. One of which the way to it is named, too, is no key.
pub fn redact_path(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    let is_a_way = ["/", "./", "../"].iter().any(|start| text.starts_with(start));
    if is_a_way || looks_safe(&text) { text } else { REDACTED.into() }
}

/// A file's name as it is typed in a shell.
pub fn shell_quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), Cow::into_owned)
}

/// Whether it is short and made of what names, times and addresses are made of: not a key.
pub fn looks_safe(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " _.:/-".contains(c);
    text.len() <= SHORT
        && text.chars().all(plain)
        && text.chars().filter(char::is_ascii_digit).count() <= FEW_DIGITS
}

/// Characters that show nothing of themselves and change how the rest looks: bidirectional controls, separators of lines,
/// zero-width characters, byte order marks, tags (Unicode, chapter 23).
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A URL without the user and the password in it.
pub fn redact_url(text: &str) -> String {
    match authority(text) {
        Some((before, authority, after)) if authority.contains('@') => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{before}...@{host}{after}")
        }
        _ => text.to_owned(),
    }
}

/// Whether a URL has a user or a password in it.
pub fn has_userinfo(url: &str) -> bool {
    authority(url).is_some_and(|(_, authority, _)| authority.contains('@'))
}

/// The authority of a URL (RFC 3986 section 3.2), with what is before and after it.
fn authority(url: &str) -> Option<(&str, &str, &str)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    Some((&url[..start], &url[start..end], &url[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_keys_are_not() {
        for harmless in ["openia", "z.ai", "oatuh", "a/b", "ssh://host", "10 minutes", "90s", ""] {
            assert!(looks_safe(harmless), "{harmless}");
        }
        for key in [
            "sk-CANARY",
            "sk-0123456789abcdef",
            "ghp1234",
            "AKIA",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "é",
            "a\u{1b}",
        ] {
            assert!(!looks_safe(key), "{key}");
        }
    }

    #[test]
    fn a_file_is_shown_if_it_is_one() {
        for path in
            ["b.age", "missing/b.age", "/etc/ssl/certs/company-2026.pem", "./A-LONG-NAME-0123456789.age"]
        {
            assert_eq!(redact_path(Path::new(path)), path);
        }
        assert_eq!(redact_path(Path::new("AGE-SECRET-KEY-1QQQ")), REDACTED);
        assert_eq!(
            (redact_name("work"), redact_name("sk-CANARY"), redact_or("sk-CANARY", "PROJECT")),
            ("work", REDACTED, "PROJECT")
        );
    }

    #[test]
    fn a_url_loses_its_user_and_keeps_the_rest() {
        assert_eq!(redact_url("tcp://u:p@ss@host:1/x@y"), "tcp://...@host:1/x@y");
        assert_eq!(redact_url("unix:///run/a@b.sock"), "unix:///run/a@b.sock");
        assert_eq!(redact_url("/run/x.sock"), "/run/x.sock");
        assert!(has_userinfo("tcp://u@h") && !has_userinfo("unix:///a@b") && !has_userinfo("tcp://h/@"));
    }
}
