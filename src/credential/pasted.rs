//! Keys and tokens as people paste them: the one check of every way in.

use super::{Secret, secret::without_mark};
use crate::redact::is_invisible;

/// Far longer than any vendor's key.
const MAX_BYTES: usize = 16 * 1024;
/// Quotation marks that a pasted value may be in.
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The reason why a pasted text is no key or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKey {
    /// The problem; never the text.
    pub problem: &'static str,
    /// Whether it is only unusual: somebody may insist on it.
    pub is_only_unusual: bool,
}

/// The key or token in a pasted text: without the white space, the quotation marks, the variable (`NAME=key`), the header
/// (`x-api-key: key`) and the scheme (`Bearer key`) around it.
///
/// # Errors
/// [`NotAKey`]
pub fn key_in(text: &str) -> Result<Secret, NotAKey> {
    let key = unwrap(text);
    let refuse = |problem, is_only_unusual| NotAKey { problem, is_only_unusual };
    check_form(key).map_err(|problem| refuse(problem, false))?;
    if key.starts_with(QUOTES) || key.ends_with(QUOTES) {
        return Err(refuse("it has a quotation mark at one end: half-pasted?", true));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(refuse("it contains spaces, or letters that keys do not have: wrongly pasted?", true));
    }
    Ok(Secret::new(key))
}

/// Whether there is nothing in a pasted text, as in `""`.
pub fn is_blank(text: &str) -> bool {
    unwrap(text).is_empty()
}

/// Checks that a secret is one printable line of bounded length. The error says what is wrong.
pub(crate) fn check_form(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        Err("it is empty")
    } else if value.lines().count() > 1 {
        Err("it has more than one line")
    } else if value.chars().any(char::is_control) {
        Err("it contains control characters")
    } else if value.chars().any(is_invisible) {
        Err("it contains characters that cannot be seen")
    } else if value.len() > MAX_BYTES {
        Err("it is longer than any key")
    } else {
        Ok(())
    }
}

/// Takes away one layer after the other; `export NAME="Bearer key"` has three.
fn unwrap(text: &str) -> &str {
    let text = without_mark(text).trim();
    match in_quotes(text).or_else(|| after_name(text)).or_else(|| after_scheme(text)) {
        Some(inner) => unwrap(inner),
        None => text,
    }
}

fn in_quotes(text: &str) -> Option<&str> {
    QUOTES.into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

/// The value after the name of a variable or a header.
fn after_name(text: &str) -> Option<&str> {
    if let Some((name, value)) = text.split_once('=') {
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let is_variable = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        // A key may end in `=` (RFC 4648); with `_` it is taken for a name.
        let is_padding = !name.contains('_') && value.chars().all(|c| c == '=');
        if is_variable && !is_padding {
            return Some(value);
        }
    }
    let (name, value) = text.split_once(": ")?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-').then_some(value)
}

/// The token after the scheme of `Authorization: Bearer`.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_at_checked("Bearer".len())?;
    let is_bare = token.is_empty() || token.starts_with(char::is_whitespace);
    (is_bare && scheme.eq_ignore_ascii_case("Bearer")).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_found_in_what_is_pasted_around_it() {
        for pasted in [
            "k-1",
            "  k-1\r\n",
            "\u{feff}k-1\n",
            "\"k-1\"",
            "'k-1'",
            "`k-1`",
            "Bearer k-1",
            "bearer   k-1",
            "Authorization: Bearer k-1",
            "x-api-key: k-1",
            "ACME_API_KEY=k-1",
            "KEY=k-1",
            "export ACME_API_KEY=\"k-1\"\n",
            "ACME_API_KEY = 'Bearer k-1'",
        ] {
            assert_eq!(key_in(pasted), Ok("k-1".into()), "{pasted}");
        }
    }

    #[test]
    fn key_with_signs_of_its_own_stays_as_it_is() {
        for key in ["1|a.b-c_d~e+f/g=", "QUJD==", "MFRGG===", "a_b=", "123456:AB-c", "bearer-1", "a=b", "x:y"]
        {
            assert_eq!(key_in(key), Ok(key.into()), "{key}");
        }
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        for (text, problem, is_only_unusual) in [
            ("", "it is empty", false),
            ("\"\"", "it is empty", false),
            ("Bearer ", "it is empty", false),
            ("ACME_API_KEY=", "it is empty", false),
            ("a\nb", "it has more than one line", false),
            ("a\u{7}b", "it contains control characters", false),
            ("a\u{200b}b", "it contains characters that cannot be seen", false),
            ("\"k-1", "it has a quotation mark at one end: half-pasted?", true),
            ("a b", "it contains spaces, or letters that keys do not have: wrongly pasted?", true),
            ("kéy", "it contains spaces, or letters that keys do not have: wrongly pasted?", true),
        ] {
            assert_eq!(key_in(text), Err(NotAKey { problem, is_only_unusual }), "{text}");
        }
        assert_eq!(key_in(&"x".repeat(20_000)).expect_err("long").problem, "it is longer than any key");
    }
}
