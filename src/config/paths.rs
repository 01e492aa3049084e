//! The directories of the program's files.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::redact::quote;

/// The configuration and data directories, and the provider descriptors that the program itself adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    data: PathBuf,
    descriptors: Vec<(String, String)>,
}

/// The reason why the directories are unknown.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// There is no home directory.
    #[error("no home directory is known: set HOME, or AUTHENTICATE_CONFIG_DIR and AUTHENTICATE_DATA_DIR")]
    NoHome,
    /// A variable contains a relative path, which would mean another place in each working directory.
    #[error("{variable} must be an absolute path, not {}", quote(&value.to_string_lossy()))]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: PathBuf,
    },
}

impl Paths {
    /// Reads `AUTHENTICATE_CONFIG_DIR` and `AUTHENTICATE_DATA_DIR`. Defaults to the directories of the XDG
    /// base directory specification, or of the operating system.
    ///
    /// # Errors
    /// [`PathsError`]
    pub fn from_env() -> Result<Self, PathsError> {
        let home = directories::ProjectDirs::from("", "", "authenticate");
        let absolute = |variable, path: PathBuf| {
            if path.is_absolute() { Ok(path) } else { Err(PathsError::Relative { variable, value: path }) }
        };
        let pick = |variable: &'static str, default: Option<&Path>| match env::var_os(variable) {
            Some(value) if !value.is_empty() => absolute(variable, PathBuf::from(value)),
            // `directories` ignores relative XDG variables, as their specification says: this is from HOME.
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

    /// Takes two directories, both absolute.
    pub fn new(config: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self { config: config.into(), data: data.into(), descriptors: Vec::new() }
    }

    /// The configuration directory.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The data directory: the store and the state of running logins.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The directory of the user's own provider descriptors.
    pub fn providers(&self) -> PathBuf {
        self.config.join("providers")
    }

    /// Adds a descriptor over those in the directory: its name and its text.
    pub(crate) fn describe(&mut self, name: String, text: String) {
        self.descriptors.push((name, text));
    }

    /// The added descriptors: name and text. A later one overrides an earlier one.
    pub(crate) fn descriptors(&self) -> &[(String, String)] {
        &self.descriptors
    }

    /// The directory of project files.
    pub fn projects(&self) -> PathBuf {
        self.config.join("projects")
    }

    /// The directory of the user's own images: for each one a directory with a Containerfile.
    pub fn images(&self) -> PathBuf {
        self.config.join("images")
    }

    /// The directory of running logins: for each one a lock and a directory.
    pub fn logins(&self) -> PathBuf {
        self.data.join("logins")
    }

    /// The directory of refresh locks: one for each credential that is being refreshed or removed.
    pub fn turns(&self) -> PathBuf {
        turns(&self.data)
    }
}

/// The directory of refresh locks below a data directory.
pub(crate) fn turns(data: &Path) -> PathBuf {
    data.join("turns")
}
