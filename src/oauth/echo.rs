//! Redaction of server messages: one short printable line that repeats nothing of the request.

use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::redact::is_invisible;

/// The length from which a piece of a sent value is masked, even without the rest of it.
const PIECE: usize = 8;
const MASK: &str = "[..]";

/// Returns `text` as one printable line of at most `limit` characters, with every private value of the request masked.
pub(super) fn redact(text: &str, limit: usize, sent: &[Zeroizing<String>]) -> String {
    // Cut first, so that a megabyte is not searched; wide enough that a cut value is still recognised.
    let text: String = text.chars().take(8 * limit).collect();
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.retain(|c| !c.is_control() && !is_invisible(c));
    for value in sent {
        let encoded: Zeroizing<String> =
            Zeroizing::new(form_urlencoded::byte_serialize(value.as_bytes()).collect());
        text = mask(&text, value);
        text = mask(&text, &encoded);
    }
    match text.char_indices().nth(limit) {
        Some(_) => text.chars().take(limit - 1).chain(['…']).collect(),
        None => text,
    }
}

/// Masks `value` in `text`: the whole of it, and any piece of at least [`PIECE`] characters.
fn mask(text: &str, value: &str) -> String {
    let shortest = value.chars().count().clamp(1, PIECE);
    if shortest < 3 {
        return text.to_owned();
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let same = shared_prefix(rest, value, shortest);
        if same > 0 {
            masked.push_str(MASK);
            rest = &rest[same..];
        } else {
            let next = rest.chars().next().map_or(rest.len(), char::len_utf8);
            masked.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    masked
}

/// Counts the bytes at the start of `text` that are a piece of `value` of at least `shortest` characters; else 0.
fn shared_prefix(text: &str, value: &str, shortest: usize) -> usize {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.skip(shortest - 1).take_while(|end| value.contains(&text[..*end])).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_repeats_a_sent_value_is_masked_in_every_encoding_and_piece() {
        let values = ["CANARY/0123456789+abcdef", "HEADER-CANARY"];
        let sent = values.map(|value| Zeroizing::new(value.to_owned()));
        for (echo, redacted) in [
            ("token CANARY/0123456789+abcdef is used up", "token [..] is used up"),
            ("CANARY%2F0123456789%2Babcdef", "[..][..][..]"),
            ("token CANARY/01.. is used up", "token [..].. is used up"),
            ("..456789+abcdef", "..[..]"),
            ("CANARY/0123456789+abcdefCANARY/0123456789+abcdef", "[..][..]"),
            ("not HEADER-CANARY", "not [..]"),
            ("bad refresh_token", "bad refresh_token"),
        ] {
            assert_eq!(redact(echo, 64, &sent), redacted);
        }
    }

    #[test]
    fn long_or_hostile_text_becomes_one_short_printable_line() {
        let text = format!("a\u{1b}[31m\r\nb\u{202e}c{}", "x".repeat(100_000));
        let redacted = redact(&text, 200, &[]);
        assert!(redacted.starts_with("a[31m bcx"), "{redacted}");
        assert_eq!(redacted.chars().count(), 200);
        assert!(!redacted.chars().any(char::is_control));
    }
}
