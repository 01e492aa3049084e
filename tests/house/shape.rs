//! Sizes of files and functions, and vendors' names.

use std::{fs, path::Path};

use crate::{
    assert_only,
    source::{Source, below, block_end},
};

const LONGEST_FILE: usize = 400;
const LONGEST_TEST: usize = 500;
const LONGEST_FUNCTION: usize = 60;

/// The files that are still longer.
const LONG_FILES: &[&str] = &[];

/// The functions that are still longer.
const LONG_FUNCTIONS: &[&str] = &[];

/// The providers that are called by a word that means something else, too.
const WORDS: [&str; 1] = ["email"];

#[test]
fn files_are_short() {
    let tests = below("tests").into_iter().map(|source| (source, LONGEST_TEST));
    let sources = below("src").into_iter().map(|source| (source, LONGEST_FILE));
    let long = sources
        .chain(tests)
        .filter(|(source, longest)| source.lines() > *longest)
        .map(|(source, longest)| (source.path.clone(), format!("{} lines, of {longest}", source.lines())))
        .collect();
    assert_only("a file is too long", &long, LONG_FILES);
}

#[test]
fn functions_are_short() {
    let sources = below("src");
    let long = sources.iter().filter(|source| !source.is_test()).flat_map(long_functions).collect();
    assert_only("a function is too long", &long, LONG_FUNCTIONS);
}

/// `Timestamp::now` panics where the clock is beyond the last date, and `clock::now` does not.
#[test]
fn time_is_read_in_one_place() {
    let sources = below("src").into_iter().filter(|source| source.path != "src/clock.rs");
    let reads = sources.filter(|source| source.code.contains("Timestamp::now"));
    assert_only("another place reads the clock", &reads.map(|source| (source.path, "")).collect(), &[]);
}

/// The functions of a file that are too long, with their lines.
fn long_functions(source: &Source) -> Vec<(String, usize)> {
    let mut long = Vec::new();
    for (at, _) in source.code.match_indices("fn ") {
        if source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &source.code[at..];
        // A declaration in a trait, or a type, has no body.
        let Some(open) = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{')) else {
            continue;
        };
        let lines = rest[..block_end(rest, open)].lines().count();
        if lines > LONGEST_FUNCTION {
            let name = rest["fn ".len()..].split(['(', '<']).next().unwrap_or_default();
            long.push((format!("{}: {name}", source.path), lines));
        }
    }
    long
}

#[test]
fn vendors_are_named_in_descriptors_only() {
    let providers = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/providers");
    let names: Vec<String> = fs::read_dir(providers)
        .expect("the descriptors")
        .map(|entry| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    assert!(names.len() > 40, "{names:?}");
    let mut found = Vec::new();
    for source in below("src").iter().filter(|source| !source.is_test()) {
        let named = source
            .strings
            .iter()
            .filter(|string| names.contains(string) && !WORDS.contains(&string.as_str()));
        found.extend(named.map(|name| format!("{}: {name:?}", source.path)));
    }
    assert!(found.is_empty(), "{found:#?}");
}
