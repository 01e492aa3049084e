//! The data key, under which every credential is sealed, and the key source, which keeps it.
//!
//! The data key is random and never leaves the process as it is: the database holds it wrapped, that is sealed
//! under another key, which the source has or makes. Which source that is was chosen once and is recorded.
//!
//! A store without a row in `store_key` is not sealed yet. The transaction that makes the key seals what is there.

mod cache;
mod choose;
mod command;
mod key_file;
mod keyring;
mod lock;
mod passphrase;
mod passphrase_provider;
mod row;
mod run;
pub(super) mod session;
mod source;
mod systemd_creds;
mod unlock;
mod wrapped;

use std::sync::{Arc, PoisonError};

use rusqlite::Connection;

pub use self::{
    cache::CachedKey,
    lock::Locked,
    passphrase_provider::{PassphraseProvider, PassphraseRequest, PromptError, set_passphrase_provider},
    source::KeySource,
    unlock::KeyState,
};
pub(super) use self::{
    choose::{ChosenSource, choose},
    passphrase_provider::passphrase_provider,
    row::{Row, sweep, unused},
    source::{Context, KeyLocation, NewKey, PromptPolicy, Purpose},
    wrapped::{unwrap, wrap},
};
use super::{Action, Store, StoreError, crypto::seal::SealingKey};

/// Whoever changes the key while it is being read does not do so this often.
pub(super) const ATTEMPTS: usize = 8;
/// What is left to do where the key of a store is not to be had: a restore into the store itself would need it, too.
const RESTORE: &str = "restore a backup into an empty data directory (AUTHENTICATE_DATA_DIR)";
/// The length of a key's id in bytes.
pub(super) const ID: usize = 16;

/// The key that seals credentials.
#[derive(Clone, Debug)]
pub(super) struct DataKey {
    /// Random; another with each data key.
    pub(super) id: [u8; ID],
    pub(super) key: SealingKey,
}

impl DataKey {
    pub(super) fn random() -> Result<Self, StoreError> {
        Ok(Self { id: super::crypto::seal::random()?, key: SealingKey::random()? })
    }
}

impl Store {
    /// The data key, if it is at hand and the one of the transaction that is open on `connection`.
    pub(super) fn key_at_hand(&self, connection: &Connection) -> rusqlite::Result<Option<Arc<DataKey>>> {
        let Some(kept) = self.kept().clone() else { return Ok(None) };
        let id = row::id(connection)?;
        Ok(Some(kept).filter(|key| Some(key.id) == id))
    }

    /// Gets the data key from its source, or makes it where there is none yet.
    pub(super) fn fetch_key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(row) = Row::read(&self.connection).map_err(|e| self.failed(e))? else {
                return self.first_key(asking);
            };
            match unwrap(&row, &self.context(asking.clone())) {
                Ok(key) => return Ok(self.keep(key)),
                Err(error) => {
                    // Or was it replaced in the meantime?
                    let now = row::id(&self.connection).map_err(|e| self.failed(e))?;
                    if now == Some(row.key_id) {
                        return Err(error);
                    }
                }
            }
        }
        Err(StoreError::Busy { path: self.place() })
    }

    /// The data key: the one at hand, or else from its source.
    pub(super) fn key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        let at_hand = self.key_at_hand(&self.connection).map_err(|e| self.failed(e))?;
        at_hand.map_or_else(|| self.fetch_key(asking), Ok)
    }

    /// Gets the data key now, and asks for the passphrase now where one is needed, before something is begun
    /// that must not fail for want of it. Makes the key where there is none yet.
    ///
    /// # Errors
    /// [`StoreError::PassphraseNeeded`], [`StoreError::WrongPassphrase`], [`StoreError::KeySource`],
    /// [`StoreError::Settings`], and what [`Store::open`] has.
    pub fn prepare(&self) -> Result<(), StoreError> {
        self.key(PromptPolicy::Allowed).map(drop)
    }

    /// The same, for something that is to be done with the whole store: a failure is recorded as one of that.
    ///
    /// # Errors
    /// As [`Store::prepare`].
    pub fn prepare_for(&self, action: Action) -> Result<(), StoreError> {
        self.audited(action, self.prepare())
    }

    pub(super) fn keep(&self, key: DataKey) -> Arc<DataKey> {
        let key = Arc::new(key);
        cache::offer(&key);
        *self.kept() = Some(key.clone());
        key
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<DataKey>>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn context(&self, asking: PromptPolicy) -> Context {
        let database = self.place();
        let directory = database.parent().map(std::path::Path::to_owned).unwrap_or_default();
        Context { when: Purpose::Opening, database, directory, asking }
    }

    /// What was stored before it was sealed leaves the files. Should that not work now, then the next time.
    pub(super) fn erase_what_was_plain(&self) {
        if self.erase().unwrap_or(false) {
            let _ = self.connection.execute("UPDATE store_key SET erased = 1", []);
        }
    }
}
