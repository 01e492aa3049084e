//! The findings of a lint: values that have the right type and cannot be used.

use std::{fmt::Display, str::FromStr};

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place of the value, such as `image.name` or `callback_ports[0]`.
    pub path: String,
    /// The problem, as a lower-case fragment.
    pub message: String,
}

/// The findings so far.
#[derive(Default)]
pub struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), message: message.into() });
    }

    /// Adds the error of a check.
    pub fn check<T>(&mut self, path: &str, result: Result<T, impl Into<String>>) {
        if let Err(message) = result {
            self.add(path, message);
        }
    }

    /// Checks a text, if it is given.
    pub fn check_given(
        &mut self,
        path: &str,
        text: &Option<String>,
        check: impl Fn(&str) -> Result<(), String>,
    ) {
        self.check(path, text.as_deref().map_or(Ok(()), check));
    }

    /// Adds all findings of a value at `path`.
    pub fn add_below(&mut self, path: &str, below: Self) {
        self.0.extend(below.0.into_iter().map(|Finding { path: rest, message }| match rest.is_empty() {
            true => Finding { path: path.to_owned(), message },
            false => Finding { path: format!("{path}.{rest}"), message },
        }));
    }
}

/// Checks that a text can be parsed.
///
/// # Errors
/// The problem, as a lower-case fragment.
pub fn parses<T: FromStr<Err: Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop).map_err(|error| error.to_string())
}
