//! The data key, which seals every credential, and the key source, which keeps it.
//!
//! The data key is random, and never leaves the process in plain: the database holds it wrapped, which means sealed with
//! another key that the source has or makes. The source is chosen once and recorded.
//!
//! A store without a row in `store_key` is not sealed yet. The transaction that makes the key seals what is there.

mod choose;
mod command;
mod key_file;
mod keyring;
mod location;
mod passphrase;
mod passphrase_provider;
mod row;
mod run;
pub(super) mod session;
mod source;
mod systemd_creds;
mod unlock;

use std::sync::{Arc, PoisonError};

use rusqlite::Connection;

pub(super) use self::{
    choose::{ChosenSource, choose},
    location::{KeyLocation, NewKey},
    passphrase_provider::passphrase_provider,
    row::{Row, sweep, unused},
    source::{Context, PromptPolicy, Purpose},
};
pub use self::{
    passphrase_provider::{PassphraseProvider, PassphraseRequest, PromptError, set_passphrase_provider},
    source::KeySource,
    unlock::{KeyState, Locked},
};
use super::{Action, Store, StoreError, crypto::seal::SealingKey};

/// The advice if the key of a store is lost. A restore into the store itself would need that key too.
const RESTORE: &str = "restore a backup into an empty data directory (AUTHENTICATE_DATA_DIR)";
/// The length of a key's id in bytes.
pub(super) const ID: usize = 16;

/// The key that seals credentials.
#[derive(Clone, Debug)]
pub(super) struct DataKey {
    /// A random id, another one for each data key.
    pub(super) id: [u8; ID],
    pub(super) key: SealingKey,
}

impl DataKey {
    pub(super) fn random() -> Result<Self, StoreError> {
        Ok(Self { id: super::crypto::seal::random()?, key: SealingKey::random()? })
    }
}

impl Store {
    /// Returns the data key if this store has it, and the transaction that is open on `connection` has the same.
    pub(super) fn key_at_hand(&self, connection: &Connection) -> Result<Option<Arc<DataKey>>, StoreError> {
        let Some(kept) = self.kept().clone() else { return Ok(None) };
        let id = self.with_path(row::id(connection))?;
        Ok(Some(kept).filter(|key| Some(key.id) == id))
    }

    /// Gets the data key from its source, or makes it if there is none yet.
    pub(super) fn fetch_key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        self.retry(|| {
            let Some(row) = self.key_row()? else { return self.first_key(asking.clone()).map(Some) };
            match row.unwrap(&self.context(asking.clone())) {
                Ok(key) => Ok(Some(self.keep(key))),
                Err(error) if self.with_path(row::id(&self.connection))? == Some(row.key_id) => Err(error),
                // Another process has replaced the key meanwhile.
                Err(_) => Ok(None),
            }
        })
    }

    /// Returns the record of the data key, `None` if there is no key yet.
    pub(super) fn key_row(&self) -> Result<Option<Row>, StoreError> {
        self.with_path(Row::read(&self.connection))
    }

    /// Returns the data key that this store has, or gets it.
    pub(super) fn key(&self, asking: PromptPolicy) -> Result<Arc<DataKey>, StoreError> {
        self.key_at_hand(&self.connection)?.map_or_else(|| self.fetch_key(asking), Ok)
    }

    /// Gets the data key, and asks for the passphrase if one is needed. Makes the key if there is none yet.
    ///
    /// Call it before starting something that must not fail for lack of the key.
    ///
    /// # Errors
    /// [`StoreError::PassphraseNeeded`], [`StoreError::WrongPassphrase`], [`StoreError::KeySource`],
    /// [`StoreError::Settings`], and the errors of [`Store::open`].
    pub fn prepare(&self) -> Result<(), StoreError> {
        self.key(PromptPolicy::Allowed).map(drop)
    }

    /// Like [`Store::prepare`], and records a failure as one of this action.
    ///
    /// # Errors
    /// As [`Store::prepare`].
    pub fn prepare_for(&self, action: Action) -> Result<(), StoreError> {
        self.audited(action, self.prepare())
    }

    pub(super) fn keep(&self, key: DataKey) -> Arc<DataKey> {
        let key = Arc::new(key);
        *self.kept() = Some(key.clone());
        key
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<DataKey>>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn context(&self, asking: PromptPolicy) -> Context {
        let database = self.place();
        let directory = database.parent().map(std::path::Path::to_owned).unwrap_or_default();
        Context { when: Purpose::Opening, database, directory, place: self.place.clone(), asking }
    }
}
