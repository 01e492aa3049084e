//! Text from users and vendors, made safe to display: possible keys and passwords are redacted, control characters
//! escaped.

use std::{borrow::Cow, path::Path};

/// Length limits, in bytes, of a typed text that is displayed: of one with spaces or each word of another, and of another.
const MAX_WORD: usize = 20;
const MAX_LENGTH: usize = 40;
/// Digit limit of a typed text that is displayed. Words have few digits; keys have many.
const MAX_DIGITS: usize = 3;

/// The replacement of a text that could be a key.
pub const REDACTED: &str = "... (redacted: it could be a key)";

/// Quotes typed text for a message, or redacts it if it could be a key, which a slip can put anywhere.
pub fn quote(text: &str) -> String {
    if looks_safe(text) { format!("{text:?}") } else { "\"...\" (redacted: it could be a key)".into() }
}

/// Redacts a typed name that could be a key. Adds no quotes.
pub fn redact_name(text: &str) -> &str {
    if looks_safe(text) { text } else { REDACTED }
}

/// Replaces a name that could be a key with `place`, a word such as `PROJECT`, in a command that a message suggests.
pub fn redact_or<'a>(text: &'a str, place: &'a str) -> &'a str {
    if looks_safe(text) { text } else { place }
}

/// Redacts a file name that could be a key. A path that starts with `/`, `./` or `../` is no key.
pub fn redact_path(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start));
    if is_path || looks_safe(&text) { text } else { REDACTED.into() }
}

/// Quotes a path for a shell.
pub fn shell_quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), Cow::into_owned)
}

/// Whether a text cannot be a key: it is a date, or it has few digits and short words, all in lower case as in names and
/// addresses, or joined by `_` and in upper case as in the names of variables.
pub fn looks_safe(text: &str) -> bool {
    let words = || text.split(|c| "_.:/@-".contains(c));
    let all =
        |is: fn(&u8) -> bool| words().all(|word| word.bytes().all(|byte| is(&byte) || byte.is_ascii_digit()));
    let is_name =
        all(|byte| byte.is_ascii_lowercase() || *byte == b' ') && !(text.contains('@') && text.contains(':'));
    let is_variable = text.contains('_') && all(u8::is_ascii_uppercase);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let limit = if text.contains(' ') { MAX_WORD } else { MAX_LENGTH };
    let is_short = text.len() <= limit && words().all(|word| word.len() <= MAX_WORD);
    is_short && (is_name || is_variable) && digits <= MAX_DIGITS || is_date(text)
}

/// Whether a text begins as a date (RFC 3339), and has nothing but a time and an offset after it.
fn is_date(text: &str) -> bool {
    let is_digit_where = |(at, byte): (usize, u8)| byte.is_ascii_digit() != matches!(at, 4 | 7);
    text.len() <= MAX_LENGTH
        && text.bytes().take(10).enumerate().all(is_digit_where)
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.+TZ ".contains(&byte))
        && text.len() >= 10
}

/// Whether a character is invisible or changes how its neighbours look: bidirectional controls, line separators,
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

/// Redacts the user and the password in a URL.
pub fn redact_url(text: &str) -> String {
    match authority(text) {
        Some((before, authority, after)) if authority.contains('@') => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{before}...@{host}{after}")
        }
        _ => text.to_owned(),
    }
}

/// Whether a URL contains a user or a password.
pub fn has_userinfo(url: &str) -> bool {
    authority(url).is_some_and(|(_, authority, _)| authority.contains('@'))
}

/// Splits a URL into the text before its authority (RFC 3986 section 3.2), the authority, and the text after it.
fn authority(url: &str) -> Option<(&str, &str, &str)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    Some((&url[..start], &url[start..end], &url[end..]))
}

/// Escapes untrusted text for a terminal: control, formatting and other invisible characters, invalid UTF-8 and the
/// backslash.
pub fn escape(bytes: &[u8]) -> String {
    let mut escaped = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\'' => escaped.push(c),
                c => escaped.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            escaped.push_str(&format!("\\x{byte:02x}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_safe_accepts_names_and_rejects_keys() {
        for name in ["openia", "z.ai", "oatuh", "a/b", "ssh://host", "10 minutes", "90s", ""] {
            assert!(looks_safe(name), "{name}");
        }
        for name in [
            "ann.smith@mail.example.com",
            "a-provider-of-the-company",
            "MY_VERY_LONG_API_KEY",
            "2020-01-31",
            "2020-02-31T12:00:00.5+01:00",
        ] {
            assert!(looks_safe(name), "{name}");
        }
        for key in [
            "user:word@host",
            "correct horse battery",
            "AKIAABCDEFGH",
            "0123456789",
            "2020-01-31-secret",
            "eyjhbgcioijiuzinniisi.nr",
            "_AAAAAAAAAAAAAAAAAAAAA",
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
    fn redact_path_keeps_paths_and_redacts_keys() {
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
    fn redact_url_removes_only_userinfo() {
        assert_eq!(redact_url("tcp://u:p@ss@host:1/x@y"), "tcp://...@host:1/x@y");
        assert_eq!(redact_url("unix:///run/a@b.sock"), "unix:///run/a@b.sock");
        assert_eq!(redact_url("/run/x.sock"), "/run/x.sock");
        assert!(has_userinfo("tcp://u@h") && !has_userinfo("unix:///a@b") && !has_userinfo("tcp://h/@"));
    }
}
