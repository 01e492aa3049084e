//! Tests of the store in one process. Those with several processes are in `tests/store.rs`.

mod changes;
mod details;
mod migrated;
mod refusals;
mod sealed;
mod traces;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::credential::{Address, Credential, Metadata, Name, OAuth};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn address(provider: &str) -> Address {
    Address::default_profile(name(provider))
}

fn key(key: &str) -> Credential {
    Credential::api_key(key)
}

fn none() -> Metadata {
    Metadata::default()
}

/// A data directory with a database in it that holds one key, and no process that has it open.
fn with_database() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let mut store = Store::open(directory.path()).expect("a store");
    store.put(&address("codex"), &key("s3cret"), &none()).expect("stored");
    let file = directory.path().join(FILE_NAME);
    (directory, file)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("metadata").permissions().mode() & 0o7777
}
