//! Short forms for the tests of a store that holds one API key.

use crate::{Home, KEY, Outcome, Run, code};

/// The variable that names the session bus.
pub const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// The variable that names a file with the passphrase.
pub const FILE: &str = "AUTHENTICATE_PASSPHRASE_FILE";
/// The variable that names the source of a new store's key.
pub const VARIABLE: &str = "AUTHENTICATE_KEY_SOURCE";
pub const PASSPHRASE: &str = "correct horse";

/// A run that stores [`KEY`].
pub fn stores(home: &Home) -> Run {
    home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY)
}

/// A run that prints the stored key.
pub fn token(home: &Home) -> Run {
    home.authenticate(["token", "demo", "openai"])
}

/// Asserts that a run prints [`KEY`].
#[track_caller]
pub fn prints_the_key(run: Run) -> Outcome {
    let outcome = run.exits(code::DONE);
    assert_eq!(outcome.stdout, format!("{KEY}\n"));
    outcome
}

/// A run of `authenticate store`.
pub fn store<const N: usize>(home: &Home, words: [&str; N]) -> Run {
    home.authenticate(["store"].into_iter().chain(words))
}

/// A home with a key in a store that is sealed with a key file.
pub fn with_key() -> Home {
    let home = Home::new();
    home.stores("openai", KEY);
    home
}
