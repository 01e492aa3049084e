//! The passphrase provider: the library never prompts, so the program may set one that does.

use std::{path::Path, sync::OnceLock};

use super::KeySource;
use crate::credential::Secret;

/// Provides the passphrases of stores, and is told about their keys and files.
pub trait PassphraseProvider: Send + Sync {
    /// Returns a passphrase.
    ///
    /// # Errors
    /// [`PromptError`]
    fn passphrase(&self, question: PassphraseRequest<'_>) -> Result<Secret, PromptError>;

    /// Called when no more questions follow: the passphrase was right, or is not asked for again.
    fn answered(&self) {}

    /// Called when a store has been given a key: with its source, and the place where that keeps it.
    fn chosen(&self, _database: &Path, _source: KeySource, _place: &str) {}

    /// Called when a store was rekeyed and its old key file was not removed, because it may be the key of other stores too.
    fn left(&self, _file: &Path) {}

    /// Called when a store was given a rollback journal in place of a write-ahead log, because its file system maps no memory
    /// that processes share.
    fn without_shared_memory(&self, _database: &Path) {}

    /// Called when the settings name another source than the one that keeps the store's key: with the place where it is.
    fn differs(&self, _database: &Path, _wanted: KeySource, _place: &str) {}
}

/// A question for a passphrase.
#[derive(Clone, Copy, Debug)]
pub struct PassphraseRequest<'a> {
    /// The database.
    pub database: &'a Path,
    /// Whether a new passphrase is wanted. A person should have to type it twice.
    pub new: bool,
    /// Whether the new passphrase replaces the store's present one, so that what returns that one is no answer.
    pub replaces: bool,
    /// The number of wrong answers so far.
    pub wrong: u32,
}

/// The reason why there is no passphrase.
#[derive(Debug)]
pub enum PromptError {
    /// There is nobody to ask.
    Nobody,
    /// The question was dismissed.
    Interrupted,
    /// The passphrase could not be read, for the reason given in words for people.
    Failed(String),
}

static PROVIDER: OnceLock<Box<dyn PassphraseProvider>> = OnceLock::new();

/// Sets the provider for all stores of this process. Only the first call counts.
pub fn set_passphrase_provider(provider: impl PassphraseProvider + 'static) {
    let _ = PROVIDER.set(Box::new(provider));
}

/// Returns the provider that was set, or else one that has nobody to ask.
pub(in crate::store) fn passphrase_provider() -> &'static dyn PassphraseProvider {
    PROVIDER.get().map_or(&Nobody, |provider| &**provider)
}

struct Nobody;

impl PassphraseProvider for Nobody {
    fn passphrase(&self, _: PassphraseRequest<'_>) -> Result<Secret, PromptError> {
        Err(PromptError::Nobody)
    }
}
