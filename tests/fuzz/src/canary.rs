//! A word that stands for a secret, and looking for it where it must not be.

use std::fmt::{Debug, Display};

/// In the place of secrets in the corpus and the dictionaries. No name, key or host has such a sign in it.
pub const CANARY: &str = "c4nary!";

/// Nothing that is shown holds the canary.
#[track_caller]
pub fn hidden(shown: impl Display + Debug) {
    let texts = [shown.to_string(), format!("{shown:?}"), format!("{shown:#?}")];
    assert!(!texts.iter().any(|text| text.contains(CANARY)), "a secret is shown: {shown}");
}

/// Asserts the same of a value that only has a `Debug`.
#[track_caller]
pub fn undebugged(shown: impl Debug) {
    let text = format!("{shown:?}");
    assert!(!text.contains(CANARY), "a secret is shown: {text}");
}
