//! The library does not know the command line.

use std::{collections::BTreeSet, fs, path::Path};

use crate::source::below;

/// Flags of `docker` and `docker run`, which are others than ours.
const OF_ENGINES: [&str; 2] = ["--host", "--network"];

#[test]
fn text_of_the_library_names_no_flag_and_no_command() {
    let help = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.snap");
    let help = fs::read_to_string(help).expect("the help of all commands");
    let mut flags: BTreeSet<&str> = words(&help).filter(|word| is_flag(word)).collect();
    assert!(flags.contains("--force") && flags.contains("--passphrase-file"), "{flags:?}");
    flags.retain(|flag| !OF_ENGINES.contains(flag));
    let mut found = Vec::new();
    for source in below("src").iter().filter(|source| !source.path.starts_with("src/cli/")) {
        for string in &source.strings {
            let names_flag = words(string).any(|word| flags.contains(word));
            let names_command = string.contains("`authenticate ") || string.contains(": authenticate ");
            if names_flag || names_command {
                found.push(format!("{}: {string}", source.path));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-')
}

fn is_flag(word: &str) -> bool {
    word.starts_with("--") && word.len() > 3
}
