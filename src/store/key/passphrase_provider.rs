//! Whoever knows the passphrase of a store. The library never prompts: the program may name somebody to ask.

use std::{path::Path, sync::OnceLock};

use super::KeySource;
use crate::credential::Secret;

/// Answers for the passphrases of stores, and hears what should be known of their keys.
pub trait PassphraseProvider: Send + Sync {
    /// A passphrase.
    ///
    /// # Errors
    /// [`PromptError`]
    fn passphrase(&self, question: PassphraseRequest<'_>) -> Result<Secret, PromptError>;

    /// The last question is over: the passphrase was the right one, or is asked for no more.
    fn answered(&self) {}

    /// A store has just been given its key, or another one: by which source, and where that has it.
    fn chosen(&self, database: &Path, source: KeySource, place: &str) {
        let _ = (database, source, place);
    }

    /// A store was given another key, and the key file that it had is still there: one that somebody has named may be the key
    /// of other stores, too.
    fn left(&self, file: &Path) {
        let _ = file;
    }

    /// The settings name another source than the one that the store has; the text says how to change that.
    fn differs(&self, text: &str) {
        let _ = text;
    }
}

/// Which passphrase is wanted.
#[derive(Clone, Copy, Debug)]
pub struct PassphraseRequest<'a> {
    /// The database.
    pub database: &'a Path,
    /// A new one is wanted. Whoever types it should have to do so twice.
    pub new: bool,
    /// The new one is to take the place of one that the store has: what gives that one does not give another.
    pub replaces: bool,
    /// How many answers were wrong already.
    pub wrong: u32,
}

/// Why there is no passphrase.
#[derive(Debug)]
pub enum PromptError {
    /// There is nobody to ask.
    Nobody,
    /// The question was dismissed.
    Interrupted,
    /// It could not be read; in words for people.
    Failed(String),
}

static CUSTODIAN: OnceLock<Box<dyn PassphraseProvider>> = OnceLock::new();

/// Names the one to ask, for all stores of this process. Only the first call counts.
pub fn set_passphrase_provider(custodian: impl PassphraseProvider + 'static) {
    let _ = CUSTODIAN.set(Box::new(custodian));
}

pub(in crate::store) fn passphrase_provider() -> Option<&'static dyn PassphraseProvider> {
    CUSTODIAN.get().map(|custodian| &**custodian)
}
