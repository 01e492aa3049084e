//! A server's refusal, in whichever form, made fit to be shown.

use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::redact::is_invisible;

/// No more of a description is shown.
const MAX_DESCRIPTION: usize = 200;
const MAX_CODE: usize = 64;
/// So much of a value that was sent is not shown, even if it is not the whole.
const PIECE: usize = 8;
/// Parameters whose values everybody knows.
const WORDS: [&str; 6] = [
    "grant_type",
    "token_type_hint",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
    "scope",
];

/// What was sent in a request. Wiped when dropped.
#[derive(Default)]
pub(super) struct Sent {
    parameters: Vec<(String, Zeroizing<String>)>,
    /// Secrets in its headers.
    headers: Vec<Zeroizing<String>>,
}

impl Sent {
    pub fn new(parameters: Vec<(String, Zeroizing<String>)>, headers: Vec<Zeroizing<String>>) -> Self {
        Self { parameters, headers }
    }

    /// As `application/x-www-form-urlencoded`.
    pub fn form(&self) -> Zeroizing<Vec<u8>> {
        // Large enough from the start: a buffer that grows leaves copies behind.
        let room = self.parameters.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
        form.extend_pairs(self.parameters.iter().map(|(name, value)| (name, value.as_str())));
        Zeroizing::new(form.finish().into_bytes())
    }

    /// As a JSON object of strings.
    pub fn json(&self) -> Zeroizing<Vec<u8>> {
        let members = self.parameters.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let object = Value::Object(members.collect::<Map<_, _>>());
        let room = self.parameters.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 8).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut *text, &object);
        crate::credential::wipe(object);
        text
    }

    /// One printable line with nothing of what was sent.
    fn clean(&self, text: &str, limit: usize) -> String {
        // Cut first, so that a megabyte is not searched; wide enough that a cut value is still recognised.
        let text: String = text.chars().take(8 * limit).collect();
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.retain(|c| !c.is_control() && !is_invisible(c));
        let secret = |(name, _): &&(String, _)| !WORDS.contains(&name.as_str());
        let parameters = self.parameters.iter().filter(secret).map(|(_, value)| value);
        for value in parameters.chain(&self.headers) {
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
}

/// Replaces what `text` has of `value`: all of it, or any piece of some length.
fn mask(text: &str, value: &str) -> String {
    const MASK: &str = "[..]";
    let shortest = value.chars().count().clamp(1, PIECE);
    if shortest < 3 {
        return text.to_owned();
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let same = shared(rest, value, shortest);
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

/// How many bytes at the start of `text` are a piece of `value`, if they are at least so many characters; else 0.
fn shared(text: &str, value: &str, shortest: usize) -> usize {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut longest = 0;
    for (count, end) in ends.enumerate() {
        if count + 1 >= shortest {
            if !value.contains(&text[..end]) {
                break;
            }
            longest = end;
        }
    }
    longest
}

/// The code and description of a refusal: `{"error": "code", "error_description": ".."}` as in RFC 6749 section 5.2, or
/// `{"error": {"code": "..", "message": ".."}}` as some vendors have it.
pub(super) fn read(reply: &Value, sent: &Sent) -> Option<(String, Option<String>)> {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (code, description) = match reply.get("error")? {
        Value::Object(error) => (
            text(error.get("code")).or_else(|| text(error.get("type"))).or_else(|| text(error.get("status"))),
            text(error.get("message")),
        ),
        error => (
            // Some say so that there is none.
            text(Some(error)).filter(|code| code != "0"),
            text(reply.get("error_description")).or_else(|| text(reply.get("message"))),
        ),
    };
    let code = sent.clean(&code?, MAX_CODE);
    let description = description.map(|text| sent.clean(&text, MAX_DESCRIPTION)).filter(|t| !t.is_empty());
    Some((code, description))
}

/// The same, of a refusal that answers no request of ours.
pub(super) fn shown(code: &str, description: Option<&str>) -> (String, Option<String>) {
    let nothing = Sent::default();
    let description = description.map(|text| nothing.clean(text, MAX_DESCRIPTION)).filter(|t| !t.is_empty());
    (nothing.clean(code, MAX_CODE), description)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent() -> Sent {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", "CANARY/0123456789+abcdef")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned().into()));
        Sent::new(parameters.into(), vec!["HEADER-CANARY".to_owned().into()])
    }

    #[test]
    fn both_forms_of_a_refusal_are_read() {
        let standard = json!({"error": "invalid_grant", "error_description": "it is used up"});
        let vendor = json!({"error": {"code": "invalid_grant", "message": "it is used up", "type": "x"}});
        for reply in [standard, vendor] {
            let (code, description) = read(&reply, &sent()).expect("a refusal");
            assert_eq!((code.as_str(), description.as_deref()), ("invalid_grant", Some("it is used up")));
        }
        for other in [
            json!({}),
            json!({"error": null}),
            json!({"error": {}}),
            json!([1]),
            json!({"error": ""}),
            json!({"error": 0}),
        ] {
            assert_eq!(read(&other, &sent()), None, "{other}");
        }
    }

    #[test]
    fn nothing_of_what_was_sent_is_in_a_description() {
        for echo in [
            "token CANARY/0123456789+abcdef is used up",
            "CANARY%2F0123456789%2Babcdef",
            "token CANARY/01.. is used up",
            "..456789+abcdef",
            "CANARY/0123456789+abcdefCANARY/0123456789+abcdef",
            "not HEADER-CANARY",
        ] {
            let reply = json!({"error": echo, "error_description": echo});
            let (code, description) = read(&reply, &sent()).expect("a refusal");
            for shown in [code, description.expect("a description")] {
                assert!(
                    !shown.contains("CANARY/0") && !shown.contains("HEADER") && !shown.contains("6789+abc"),
                    "{shown}"
                );
            }
        }
        let words = json!({"error": "invalid_grant", "error_description": "bad refresh_token"});
        assert_eq!(read(&words, &sent()).and_then(|(_, d)| d).as_deref(), Some("bad refresh_token"));
    }

    #[test]
    fn a_description_is_one_short_printable_line() {
        let text = format!("a\u{1b}[31m\r\nb\u{202e}c{}", "x".repeat(100_000));
        let (_, shown) = read(&json!({"error": "e", "error_description": text}), &sent()).expect("a refusal");
        let shown = shown.expect("a description");
        assert!(shown.starts_with("a[31m bcx"), "{shown}");
        assert_eq!(shown.chars().count(), MAX_DESCRIPTION);
        assert!(!shown.chars().any(char::is_control));
    }
}
