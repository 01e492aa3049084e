//! API keys and bearer tokens that are entered.

use crate::{
    credential::{Secret, pasted},
    login::LoginError,
    provider::{Descriptor, pattern},
};

/// Reads an API key as it was typed, pasted or read.
///
/// # Errors
/// [`LoginError::BadKey`]; its message never repeats the key. `force` takes the text as it is, and skips the provider's
/// pattern.
pub fn check(provider: &Descriptor, raw: &Secret, force: bool) -> Result<Secret, LoginError> {
    let pattern = provider.api_key.as_ref().and_then(|api_key| api_key.pattern.as_deref());
    read(provider, "key", pattern, raw, force)
}

/// Reads a bearer token as it was typed, pasted or read.
///
/// # Errors
/// As [`check`].
pub fn check_token(provider: &Descriptor, raw: &Secret, force: bool) -> Result<Secret, LoginError> {
    let pattern = provider.token.as_ref().and_then(|token| token.pattern.as_deref());
    read(provider, "token", pattern, raw, force)
}

fn read(
    provider: &Descriptor,
    what: &'static str,
    expected: Option<&str>,
    raw: &Secret,
    force: bool,
) -> Result<Secret, LoginError> {
    let refuse = |problem: &str, forceable| LoginError::BadKey {
        what,
        provider: provider.name.clone(),
        problem: problem.to_owned(),
        forceable,
    };
    if force {
        let typed = raw.expose().trim();
        return pasted::check_form(typed).map(|()| typed.into()).map_err(|problem| refuse(problem, false));
    }
    let key = pasted::key_in(raw.expose()).map_err(|wrong| refuse(wrong.problem, wrong.is_only_unusual))?;
    if let Some(pattern) = expected
        && pattern::compile(pattern).is_ok_and(|pattern| !pattern.is_match(key.expose()))
    {
        return Err(refuse("it does not look like one: wrong or half-pasted?", true));
    }
    Ok(key)
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
    fn key_and_token_are_found_in_what_is_pasted() {
        for raw in ["  sk-abcdefgh\r\n", "\u{feff}sk-abcdefgh\n", "ACME_KEY=\"sk-abcdefgh\""] {
            assert_eq!(check(&provider(), &raw.into(), false).expect("a key").expose(), "sk-abcdefgh");
            assert_eq!(
                check_token(&provider(), &raw.into(), false).expect("a token").expose(),
                "sk-abcdefgh"
            );
        }
    }

    #[test]
    fn invalid_key_is_refused_without_being_repeated() {
        let canary = "sk-CANARY";
        for bad in ["", "sk-abcdefgh\nsk-abcdefgh", "sk-abc\u{202e}defgh", "sk-abc defgh", canary] {
            let error = check(&provider(), &bad.into(), false).expect_err(bad);
            assert!(!format!("{error} {error:?}").contains(canary));
        }
        let error = check_token(&provider(), &"a b".into(), false).expect_err("refused").to_string();
        assert!(error.starts_with("the token for acme is refused: it contains spaces"), "{error}");
    }

    #[test]
    fn force_takes_one_line_as_it_is() {
        for odd in ["other-form", "sk-abcdefghü", "\"sk-abcdefgh\"", "a b"] {
            assert_eq!(check(&provider(), &odd.into(), true).expect(odd).expose(), odd);
        }
        for bad in ["two\nlines", "", "sk-abcdefgh\u{200b}"] {
            assert!(check(&provider(), &bad.into(), true).is_err(), "{bad}");
        }
    }
}
