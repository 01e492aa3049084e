//! API keys, and the checks of every secret that is typed.

use crate::{
    credential::Secret,
    login::LoginError,
    provider::{Descriptor, pattern},
    redact::is_invisible,
};

/// Far longer than any vendor's key.
const MAX_BYTES: usize = 16 * 1024;

/// Checks a key as it was typed or read, and trims it.
///
/// # Errors
/// [`LoginError::BadKey`]; its message never repeats the key. `force` skips the provider's pattern and accepts
/// characters outside ASCII.
pub fn check(provider: &Descriptor, raw: &Secret, force: bool) -> Result<Secret, LoginError> {
    // Some editors begin a file with a byte order mark.
    let key = raw.expose().trim_start_matches('\u{feff}').trim();
    let refuse = |problem: &str, forceable| LoginError::BadKey {
        what: "key",
        provider: provider.name.clone(),
        problem: problem.to_owned(),
        forceable,
    };
    check_form(key).map_err(|problem| refuse(problem, false))?;
    if !key.is_ascii() && !force {
        return Err(refuse("it contains characters that keys do not have: wrongly pasted?", true));
    }
    let expected = provider.api_key.as_ref().and_then(|api_key| api_key.pattern.as_deref());
    if let Some(pattern) = expected.filter(|_| !force)
        && pattern::compile(pattern).is_ok_and(|pattern| !pattern.is_match(key))
    {
        return Err(refuse("it does not look like one: wrong or half-pasted?", true));
    }
    Ok(Secret::new(key))
}

/// Checks that a secret is one printable line of bounded length. The error says what is wrong.
pub(in crate::login) fn check_form(value: &str) -> Result<(), &'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::descriptor::ApiKey;

    fn provider() -> Descriptor {
        let api_key = ApiKey { pattern: Some("sk-[a-z0-9]{8,}".into()), ..ApiKey::default() };
        Descriptor { name: "acme".into(), api_key: Some(api_key), ..Descriptor::default() }
    }

    #[test]
    fn key_with_surrounding_white_space_is_trimmed() {
        for raw in ["  sk-abcdefgh\r\n", "\u{feff}sk-abcdefgh\n"] {
            let key = check(&provider(), &raw.into(), false).expect("a key");
            assert_eq!(key.expose(), "sk-abcdefgh");
        }
    }

    #[test]
    fn invalid_key_is_refused_without_being_repeated() {
        let canary = "sk-CANARY";
        for invisible in ["sk-abc\u{202e}defgh", "sk-abcdefgh\u{200b}"] {
            let error = check(&provider(), &invisible.into(), true).expect_err("refused");
            assert!(error.to_string().contains("cannot be seen"), "{error}");
        }
        for bad in ["", " \n", "sk-abcdefgh\nsk-abcdefgh", "sk-abc\u{7}defgh", canary, &"x".repeat(20_000)] {
            let error = check(&provider(), &bad.into(), false).expect_err(bad);
            assert!(!format!("{error} {error:?}").contains(canary));
        }
    }

    #[test]
    fn force_overrides_the_pattern_and_ascii_but_not_the_form() {
        assert!(check(&provider(), &"other-form".into(), true).is_ok());
        let letters = "sk-abcdefghü";
        assert!(check(&provider(), &letters.into(), false).is_err());
        assert!(check(&provider(), &letters.into(), true).is_ok());
        assert!(check(&provider(), &"two\nlines".into(), true).is_err());
    }
}
