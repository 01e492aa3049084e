//! `env:NAME` in configuration: a value that is secret or differs from machine to machine stays in the environment.

use std::env;

/// What an indirect value begins with.
const PREFIX: &str = "env:";

/// Why an indirect value is none. Names the field and the variable, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: the variable {variable} {problem}")]
pub struct IndirectError {
    /// The field, as its file names it.
    pub field: String,
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The variable that a value stands for, if it is indirect.
pub fn variable(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// The value of a field of the configuration: what the file says, or what the variable holds that it names. Asked for
/// when it is used, so that what is not used need not be set.
///
/// # Errors
/// [`IndirectError`] when the variable is not set, blank or no text.
pub fn value(field: &str, text: &str) -> Result<String, IndirectError> {
    let Some(variable) = variable(text) else { return Ok(text.to_owned()) };
    let wrong = |problem| IndirectError { field: field.to_owned(), variable: variable.to_owned(), problem };
    match env::var(variable) {
        Ok(value) if value.trim().is_empty() => Err(wrong("is blank")),
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Err(wrong("is not set")),
        Err(env::VarError::NotUnicode(_)) => Err(wrong("does not hold text")),
    }
}

/// The same, where the field must have a certain form: checked now, for the file could not say.
///
/// # Errors
/// As [`value`], and when `check` refuses what an indirect value holds.
pub fn checked(
    field: &str,
    text: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, IndirectError> {
    let value = value(field, text)?;
    match variable(text) {
        Some(variable) if check(&value).is_err() => Err(IndirectError {
            field: field.to_owned(),
            variable: variable.to_owned(),
            problem: "holds what this field cannot take",
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
        let says = "api.base_url of acme: the variable AUTHENTICATE_TEST_UNSET is not set";
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn what_it_holds_is_checked_and_not_repeated() {
        // Every test has a PATH.
        let refused = checked("engine", "env:PATH", |_| Err("CANARY".into())).expect_err("refused");
        assert_eq!(refused.to_string(), "engine: the variable PATH holds what this field cannot take");
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
