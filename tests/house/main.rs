//! The rules of `STYLE.md` that a program can check: layers, sizes and the names of vendors.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod command_line;
mod layers;
mod shape;
mod source;
mod words;

use std::{collections::BTreeMap, fmt::Debug};

/// Asserts that a rule is broken by the exceptions only, and by each of them: that list only gets shorter.
#[track_caller]
fn assert_only<T: Debug>(rule: &str, broken: &BTreeMap<String, T>, exceptions: &[&str]) {
    let new: Vec<_> = broken.iter().filter(|(name, _)| !exceptions.contains(&name.as_str())).collect();
    assert!(new.is_empty(), "{rule}: {new:#?}");
    let done: Vec<_> = exceptions.iter().filter(|name| !broken.contains_key(**name)).collect();
    assert!(done.is_empty(), "{rule}: no longer so, remove from the exceptions: {done:#?}");
}
