//! The content of a login's lock file.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The length of a login's identity.
const LOGIN_LENGTH: usize = 16;
/// The largest content of a lock file that is read.
const MAX_BYTES: u64 = 4096;

/// The holder of a login, and what is needed to clean up after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The start of the login.
    pub since: Timestamp,
    /// The login's identity: the name of its directory and the label of its container.
    pub login: String,
    /// The URL of the container's engine, from before the container is created.
    pub engine: Option<String>,
    /// Device and inode of the file that this was written to.
    #[serde(default)]
    file: Option<(u64, u64)>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}, since {}", self.pid, self.since.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

impl Holder {
    /// Makes the holder of a new login by this process.
    pub(super) fn new() -> Self {
        Self {
            pid: std::process::id(),
            since: crate::clock::now(),
            login: new_login(),
            engine: None,
            file: None,
        }
    }

    /// Reads a lock file. `None` without content, or with content that this program did not write. The copy of a record
    /// has no engine: the login lives where the record was written, and so may its container.
    pub(super) fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        let mut holder: Self = serde_json::from_str(&text).ok()?;
        if holder.file != Some(identity(file).ok()?) {
            holder.engine = None;
        }
        // The identity becomes a path and a label.
        (holder.login.len() == LOGIN_LENGTH && holder.login.bytes().all(|b| b.is_ascii_alphanumeric()))
            .then_some(holder)
    }

    /// Writes the content of a lock file.
    pub(super) fn write(&mut self, file: &mut File) -> io::Result<()> {
        self.file = Some(identity(file)?);
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        file.rewind()?;
        file.write_all(&text)?;
        // Without a sync: the file is for the time after a killed process. A crash of the machine ends containers too.
        file.set_len(text.len() as u64)
    }
}

/// Returns device and inode, which a copy does not share.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|found| (found.dev(), found.ino()))
}

/// Makes an identity that no other login has, on this machine or on another one that uses the same engine.
fn new_login() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // `RandomState` is seeded with the system's randomness. The identity must be unique, not unpredictable.
    format!("{:016x}", RandomState::new().hash_one((std::process::id(), crate::clock::now().as_nanosecond())))
}
