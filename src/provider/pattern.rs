//! Patterns of API keys.

use regex_lite::{Regex, RegexBuilder};

/// Compiles a pattern so that it matches whole keys only, within a bounded size.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}
