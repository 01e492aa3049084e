//! Patterns of API keys.

use regex_lite::{Regex, RegexBuilder};

/// Compiles a pattern that matches whole keys only. The compiled size is limited.
///
/// # Errors
/// The reason why the pattern is not a regular expression, or that it is too large.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}
