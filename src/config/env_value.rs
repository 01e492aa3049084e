//! Values written as `env:NAME`, for what is secret or differs between machines: an environment variable
//! holds them.
//!
//! The variable is read when the value is used, so that a variable that nothing uses need not be set.

use super::{ReferenceError, container_values::check_env_name, reference};

/// The start of a value that names a variable.
const PREFIX: &str = "env:";

/// The variable that a value names, if it is written as `env:NAME`.
pub fn variable(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// Resolves a value: for `env:NAME` the content of the variable, otherwise the text itself.
///
/// # Errors
/// [`ReferenceError`] if the variable is not set, blank or not UTF-8. It names `field` and the variable,
/// never a value.
pub fn resolve(field: &str, text: &str) -> Result<String, ReferenceError> {
    resolve_checked(field, text, |_| Ok(()))
}

/// Resolves a value like [`resolve`], and applies to a variable's content the check that [`check`] could not.
///
/// # Errors
/// The errors of [`resolve`], and [`ReferenceError`] if the variable's content fails `content`.
pub fn resolve_checked(
    field: &str,
    text: &str,
    content: impl Fn(&str) -> Result<(), String>,
) -> Result<String, ReferenceError> {
    let Some(variable) = variable(text) else { return Ok(text.to_owned()) };
    let problem = match reference::read_env(variable) {
        Ok(value) if content(value.expose()).is_ok() => return Ok(value.expose().to_owned()),
        Ok(_) => format!("the environment variable {variable} holds a value that this field cannot take"),
        Err(problem) => problem,
    };
    Err(ReferenceError { field: field.to_owned(), problem })
}

/// Checks a value as it stands in a file: `env:NAME` must name a variable, any other text must pass
/// `content`.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check(text: &str, content: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    variable(text).map_or_else(|| content(text), check_env_name)
}

/// Checks the name of the variable, where any other text is accepted.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn check_variable(text: &str) -> Result<(), String> {
    check(text, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_without_the_prefix_is_itself() {
        assert_eq!(resolve("a", "https://x"), Ok("https://x".to_owned()));
        assert_eq!(resolve("a", "environment"), Ok("environment".to_owned()));
    }

    #[test]
    fn unset_variable_is_named_with_its_field() {
        let error = resolve("api.base_url of acme", "env:AUTHENTICATE_TEST_UNSET").expect_err("unset");
        let says = "api.base_url of acme: the environment variable AUTHENTICATE_TEST_UNSET is not set";
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn content_of_a_variable_is_checked_and_not_repeated() {
        // Every test has a PATH.
        let refused = resolve_checked("engine", "env:PATH", |_| Err("CANARY".into())).expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "engine: the environment variable PATH holds a value that this field cannot take"
        );
        assert!(resolve_checked("engine", "env:PATH", |_| Ok(())).is_ok());
    }

    #[test]
    fn value_that_names_no_variable_is_refused() {
        let never = |_: &str| Err("no".to_owned());
        assert!(check("env:A_1", never).is_ok());
        for bad in ["env:", "env:a b", "env:1", "x"] {
            assert!(check(bad, never).is_err(), "{bad}");
        }
    }
}
