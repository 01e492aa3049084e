//! API keys: checked, and straight into the store. No engine is contacted.

use super::LoginError;
use crate::{
    credential::{Credential, Metadata, Record},
    name::Address,
    paths::Paths,
    provider::{Descriptor, pattern},
    secret::Secret,
    shown::is_invisible,
    store::Store,
};

/// No vendor's key comes near this.
const MAX_BYTES: usize = 16 * 1024;

/// Checks a key as it was typed or read, without the white space around it.
///
/// # Errors
/// [`LoginError::BadKey`]; its message never repeats the key. With `force` the provider's pattern is not asked, and
/// other letters than ASCII are taken.
pub fn check(provider: &Descriptor, raw: &Secret, force: bool) -> Result<Secret, LoginError> {
    // An editor's byte order mark is no part of the key either.
    let key = raw.expose().trim_start_matches('\u{feff}').trim();
    let refuse = |problem: &str, forceable| {
        Err(LoginError::BadKey { provider: provider.name.clone(), problem: problem.to_owned(), forceable })
    };
    if key.is_empty() {
        return refuse("it is empty", false);
    }
    if key.lines().count() > 1 {
        return refuse("it has more than one line", false);
    }
    if key.chars().any(char::is_control) {
        return refuse("it contains control characters", false);
    }
    if key.chars().any(is_invisible) {
        return refuse("it contains characters that cannot be seen", false);
    }
    if key.len() > MAX_BYTES {
        return refuse("it is longer than any key", false);
    }
    if !key.is_ascii() && !force {
        return refuse("it contains characters that keys do not have: wrongly pasted?", true);
    }
    let known = provider.api_key.as_ref().and_then(|api_key| api_key.pattern.as_deref());
    if let Some(pattern) = known.filter(|_| !force)
        && pattern::compile(pattern).is_ok_and(|pattern| !pattern.is_match(key))
    {
        return refuse("it does not look like one: wrong or half-pasted?", true);
    }
    Ok(Secret::new(key))
}

/// Stores a key that was checked, and reads it back.
///
/// # Errors
/// [`LoginError::Store`]
pub fn store(paths: &Paths, address: &Address, key: Secret) -> Result<Record, LoginError> {
    let mut store = Store::open(paths.data())?;
    Ok(store.put(address, &Credential::ApiKey { key }, &Metadata::default())?)
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
    fn white_space_around_a_key_goes() {
        for raw in ["  sk-abcdefgh\r\n", "\u{feff}sk-abcdefgh\n"] {
            let key = check(&provider(), &raw.into(), false).expect("a key");
            assert_eq!(key.expose(), "sk-abcdefgh");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_without_being_repeated() {
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
    fn force_overrules_only_the_pattern() {
        assert!(check(&provider(), &"other-form".into(), true).is_ok());
        let letters = "sk-abcdefghü";
        assert!(check(&provider(), &letters.into(), false).is_err());
        assert!(check(&provider(), &letters.into(), true).is_ok());
        assert!(check(&provider(), &"two\nlines".into(), true).is_err());
    }
}
