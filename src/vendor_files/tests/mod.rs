//! Vendor files, read and written by a capture map.

mod bundled;
mod choosing;
mod conversions;
mod hostile;
mod kept;
mod names;
mod removing;
mod samples;
mod writing;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{CaptureError, Captured, Choice, Removed, read, remove, write};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::CaptureEntry,
};

/// A login's directory.
struct Login(TempDir);

impl Login {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("directory"))
    }

    fn with(file: &str, content: impl AsRef<[u8]>) -> Self {
        let login = Self::new();
        login.put(file, content);
        login
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, file: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(file);
        let parent = path.parent().expect("parent");
        fs::create_dir_all(parent).expect("directory");
        fs::write(&path, content).expect("file");
        path
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).expect("file")
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.path().join(file)).expect("file").permissions().mode() & 0o7777
    }

    fn files(&self) -> Vec<String> {
        super::names(self.path())
    }

    fn read(&self, map: &str) -> Result<Option<Captured>, CaptureError> {
        self.choose(map, &Choice::default())
    }

    fn choose(&self, map: &str, choice: &Choice) -> Result<Option<Captured>, CaptureError> {
        read(self.path(), &entries(map), choice)
    }

    fn captured(&self, map: &str) -> Captured {
        self.read(map).expect("readable").expect("a credential")
    }

    fn write(&self, map: &str, captured: &Captured) -> Result<(), CaptureError> {
        self.write_with(map, &BTreeMap::new(), &captured.credential, &captured.metadata)
    }

    fn write_with(
        &self,
        map: &str,
        state: &BTreeMap<String, Value>,
        credential: &Credential,
        metadata: &Metadata,
    ) -> Result<(), CaptureError> {
        write(self.path(), &entries(map), state, credential, metadata)
    }
}

/// A capture map, as a descriptor has it.
fn entries(map: &str) -> Vec<CaptureEntry> {
    serde_yaml::from_str(map).expect("a capture map")
}

fn captured(credential: Credential) -> Captured {
    Captured {
        credential,
        metadata: Metadata::default(),
        file: String::new(),
        provider: None,
        has_unreadable_expiry: false,
        entry: 0,
        keys: Vec::new(),
    }
}
