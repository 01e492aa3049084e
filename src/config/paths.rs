//! Where the program's files are.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::redact::quote;

/// The two directories of the program, and what it adds to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    data: PathBuf,
    descriptors: Vec<(String, String)>,
}

/// Why the directories are not known.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// There is no home directory to put them in.
    #[error("no home directory is known: set HOME, or AUTHENTICATE_CONFIG_DIR and AUTHENTICATE_DATA_DIR")]
    NoHome,
    /// A variable holds a relative path, which would mean another place in each directory.
    #[error("{variable} must be an absolute path, not {}", quote(&value.to_string_lossy()))]
    Relative {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: PathBuf,
    },
}

impl Paths {
    /// `AUTHENTICATE_CONFIG_DIR` and `AUTHENTICATE_DATA_DIR` where they are set, otherwise the places of the
    /// XDG base directory specification (or of the system, where that has its own).
    pub fn from_env() -> Result<Self, PathsError> {
        let home = directories::ProjectDirs::from("", "", "authenticate");
        let absolute = |variable, path: PathBuf| {
            if path.is_absolute() { Ok(path) } else { Err(PathsError::Relative { variable, value: path }) }
        };
        let pick = |variable: &'static str, default: Option<&Path>| match env::var_os(variable) {
            Some(value) if !value.is_empty() => absolute(variable, PathBuf::from(value)),
            // Relative XDG variables are ignored, as their specification says; so a relative one is HOME's.
            _ => match default {
                Some(path) if path.is_absolute() => Ok(path.to_owned()),
                Some(_) => absolute("HOME", env::var_os("HOME").unwrap_or_default().into()),
                None => Err(PathsError::NoHome),
            },
        };
        Ok(Self {
            config: pick("AUTHENTICATE_CONFIG_DIR", home.as_ref().map(|h| h.config_dir()))?,
            data: pick("AUTHENTICATE_DATA_DIR", home.as_ref().map(|h| h.data_dir()))?,
            descriptors: Vec::new(),
        })
    }

    /// The directories named; both absolute.
    pub fn new(config: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self { config: config.into(), data: data.into(), descriptors: Vec::new() }
    }

    /// The configuration directory.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The data directory: the store and what belongs to running logins.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The user's own provider descriptors.
    pub fn providers(&self) -> PathBuf {
        self.config.join("providers")
    }

    /// Adds a descriptor that lies over those in the directory: its name and its text.
    pub(crate) fn describe(&mut self, name: String, text: String) {
        self.descriptors.push((name, text));
    }

    /// The descriptors that were added, a later one over an earlier one.
    pub(crate) fn descriptors(&self) -> &[(String, String)] {
        &self.descriptors
    }

    /// The project files.
    pub fn projects(&self) -> PathBuf {
        self.config.join("projects")
    }

    /// The user's own images: a directory each, with a Containerfile.
    pub fn images(&self) -> PathBuf {
        self.config.join("images")
    }

    /// What running logins keep: a lock and, while it runs, a directory each.
    pub fn logins(&self) -> PathBuf {
        self.data.join("logins")
    }

    /// Locks of credentials that are being renewed or removed.
    pub fn turns(&self) -> PathBuf {
        turns(&self.data)
    }
}

/// The same, of a data directory.
pub(crate) fn turns(data: &Path) -> PathBuf {
    data.join("turns")
}
