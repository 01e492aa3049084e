//! Which version of each credential is the current one.
//!
//! A row is sealed with its version, so an older secret under the newer version does not open. But a whole row
//! that is put back brings its old version along. So the current versions are listed, sealed, in the table
//! `ledger`: in parts, by the hash of the address, so that reading one credential stays cheap however many there
//! are. The root lists which state of each part is current.
//!
//! It cannot tell when the whole file is an older one: that would need something outside of the file.

use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use super::seal::{AssociatedData, random};
use crate::{
    credential::Address,
    store::{StoreError, key::DataKey},
};

const PARTS: usize = 128;
/// The row of the root; those of the parts are 0 to 127.
const ROOT: i64 = 256;
/// The state of a part: random, another after each change; all zero when there is no such part.
const STATE: usize = 8;
const HASH: usize = 16;
const ENTRY: usize = HASH + 8;

const WRITE: &str = "INSERT OR REPLACE INTO ledger (part, sealed) VALUES (?, ?)";

/// The ledger, as of the transaction that is open on its connection.
pub(in crate::store) struct Ledger<'a> {
    connection: &'a Connection,
    key: &'a DataKey,
    root: Vec<u8>,
}

/// Why it cannot be used.
pub(in crate::store) enum LedgerError {
    Sqlite(rusqlite::Error),
    /// It does not open.
    Altered,
    Other(StoreError),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

impl<'a> Ledger<'a> {
    pub(in crate::store) fn read(connection: &'a Connection, key: &'a DataKey) -> Result<Self, LedgerError> {
        let sealed = row(connection, ROOT)?.ok_or(LedgerError::Altered)?;
        let root = key.key.open(&about_root(key), &sealed).ok_or(LedgerError::Altered)?.to_vec();
        if root.len() != PARTS * STATE {
            return Err(LedgerError::Altered);
        }
        Ok(Self { connection, key, root })
    }

    /// Writes a new one that lists these.
    pub(in crate::store) fn write_all<'b>(
        connection: &'a Connection,
        key: &'a DataKey,
        current: impl Iterator<Item = (&'b Address, i64)>,
    ) -> Result<(), LedgerError> {
        connection.execute("DELETE FROM ledger", [])?;
        let mut parts = vec![Vec::new(); PARTS];
        for (address, version) in current {
            let hash = hash(address);
            if let Some(part) = parts.get_mut(part_of(&hash)) {
                part.extend(entry(&hash, version));
            }
        }
        let mut ledger = Self { connection, key, root: vec![0; PARTS * STATE] };
        for (part, entries) in parts.iter().enumerate().filter(|(_, entries)| !entries.is_empty()) {
            ledger.write_part(part, entries)?;
        }
        ledger.write_root()
    }

    /// The current version of a credential, `None` when there should be none.
    pub(in crate::store) fn current(&self, address: &Address) -> Result<Option<i64>, LedgerError> {
        let hash = hash(address);
        let entries = self.part(part_of(&hash))?;
        let (entries, _) = entries.as_chunks::<ENTRY>();
        Ok(entries.iter().find_map(|entry| {
            let (found, version) = entry.split_at(HASH);
            let version = || version.try_into().ok().map(i64::from_be_bytes);
            if found == hash { version() } else { None }
        }))
    }

    /// Lists another version, or none.
    pub(in crate::store) fn set(
        &mut self,
        address: &Address,
        version: Option<i64>,
    ) -> Result<(), LedgerError> {
        let hash = hash(address);
        let part = part_of(&hash);
        let mut entries = self.part(part)?;
        let (old, _) = entries.as_chunks::<ENTRY>();
        let mut new: Vec<u8> = old.iter().filter(|e| !e.starts_with(&hash)).flatten().copied().collect();
        new.extend(version.into_iter().flat_map(|version| entry(&hash, version)));
        std::mem::swap(&mut entries, &mut new);
        self.write_part(part, &entries)?;
        self.write_root()
    }

    fn state(&self, part: usize) -> &[u8] {
        self.root.get(part * STATE..(part + 1) * STATE).unwrap_or_default()
    }

    fn part(&self, part: usize) -> Result<Vec<u8>, LedgerError> {
        let state = self.state(part);
        if state.iter().all(|byte| *byte == 0) {
            return Ok(Vec::new());
        }
        let sealed = row(self.connection, part as i64)?.ok_or(LedgerError::Altered)?;
        let open = self.key.key.open(&about_part(part, state), &sealed).ok_or(LedgerError::Altered)?;
        Ok(open.to_vec())
    }

    fn write_part(&mut self, part: usize, entries: &[u8]) -> Result<(), LedgerError> {
        let state = random::<STATE>()?;
        let sealed = self.key.key.seal(&about_part(part, &state), entries)?;
        self.connection.prepare_cached(WRITE)?.execute((part as i64, sealed))?;
        if let Some(kept) = self.root.get_mut(part * STATE..(part + 1) * STATE) {
            kept.copy_from_slice(&state);
        }
        Ok(())
    }

    fn write_root(&self) -> Result<(), LedgerError> {
        let sealed = self.key.key.seal(&about_root(self.key), &self.root)?;
        self.connection.prepare_cached(WRITE)?.execute((ROOT, sealed))?;
        Ok(())
    }
}

fn row(connection: &Connection, part: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT sealed FROM ledger WHERE part = ?")?;
    statement.query_row([part], |row| row.get(0)).optional()
}

fn about_root(key: &DataKey) -> AssociatedData {
    AssociatedData::new("ledger root", &[&key.id])
}

fn about_part(part: usize, state: &[u8]) -> AssociatedData {
    AssociatedData::new("ledger part", &[&(part as u64).to_be_bytes(), state])
}

fn hash(address: &Address) -> [u8; HASH] {
    let mut hash = Sha256::new();
    for name in [&address.set, &address.provider, &address.profile] {
        hash.update((name.as_str().len() as u64).to_be_bytes());
        hash.update(name.as_str());
    }
    let mut short = [0; HASH];
    short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    short
}

fn part_of(hash: &[u8; HASH]) -> usize {
    usize::from(hash[0]) % PARTS
}

fn entry(hash: &[u8; HASH], version: i64) -> impl Iterator<Item = u8> {
    hash.iter().copied().chain(version.to_be_bytes()).collect::<Vec<_>>().into_iter()
}
