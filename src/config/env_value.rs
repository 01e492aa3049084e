//! `env:NAME` in configuration: a value that is secret or differs from machine to machine stays in the environment.

use super::{Reference, ReferenceError};

/// What an indirect value begins with.
const PREFIX: &str = "env:";

/// The variable that a value stands for, if it is indirect.
pub fn variable(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// The value of a field of the configuration: what the file says, or what the variable holds that it names. Asked for
/// when it is used, so that what is not used need not be set.
///
/// # Errors
/// [`ReferenceError`] when the variable is not set, blank or no text. Names the field and the variable, never a value.
pub fn value(field: &str, text: &str) -> Result<String, ReferenceError> {
    let Some(variable) = variable(text) else { return Ok(text.to_owned()) };
    Ok(Reference::Env(variable.to_owned()).read(field)?.expose().to_owned())
}

/// The same, where the field must have a certain form: checked now, for the file could not say.
///
/// # Errors
/// As [`value`], and when `check` refuses what an indirect value holds.
pub fn checked(
    field: &str,
    text: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, ReferenceError> {
    let value = value(field, text)?;
    match variable(text) {
        Some(variable) if check(&value).is_err() => Err(ReferenceError {
            field: field.to_owned(),
            problem: format!("the environment variable {variable} holds what this field cannot take"),
        }),
        _ => Ok(value),
    }
}

/// What must hold of a field in a file: `check`, or, of an indirect one, that it names a variable.
///
/// # Errors
/// What is wrong.
pub fn lint(text: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    match variable(text) {
        Some(variable) => crate::provider::run_args::check_env_name(variable),
        None => check(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_indirect_is_itself() {
        assert_eq!(value("a", "https://x"), Ok("https://x".to_owned()));
        assert_eq!(value("a", "environment"), Ok("environment".to_owned()));
    }

    #[test]
    fn what_is_not_set_is_named_with_its_field() {
        let error = value("api.base_url of acme", "env:AUTHENTICATE_TEST_UNSET").expect_err("unset");
        let says = "api.base_url of acme: the environment variable AUTHENTICATE_TEST_UNSET is not set";
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn what_it_holds_is_checked_and_not_repeated() {
        // Every test has a PATH.
        let refused = checked("engine", "env:PATH", |_| Err("CANARY".into())).expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "engine: the environment variable PATH holds what this field cannot take"
        );
        assert!(checked("engine", "env:PATH", |_| Ok(())).is_ok());
    }

    #[test]
    fn a_file_may_name_only_variables() {
        let never = |_: &str| Err("no".to_owned());
        assert!(lint("env:A_1", never).is_ok());
        for bad in ["env:", "env:a b", "env:1", "x"] {
            assert!(lint(bad, never).is_err(), "{bad}");
        }
    }
}
