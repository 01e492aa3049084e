//! A secret in an environment variable.

use std::env;

use crate::{Error, credential::Secret, redact::is_invisible};

/// The value without the white space around it; `None` when the variable is not set or empty.
///
/// # Errors
/// [`Error::Variable`] for what cannot be a secret. It names the variable, and never its value.
pub(crate) fn read_secret(name: &str) -> Result<Option<Secret>, Error> {
    let Some(value) = env::var_os(name) else { return Ok(None) };
    let refuse = |problem| Err(Error::Variable { name: name.to_owned(), problem });
    let Some(value) = value.to_str() else { return refuse("is not text (UTF-8)") };
    let value = value.trim();
    if value.chars().any(|c| c.is_control() || is_invisible(c)) {
        return refuse("contains control characters or several lines");
    }
    Ok((!value.is_empty()).then(|| Secret::new(value)))
}
