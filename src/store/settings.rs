//! The settings of the store: `config.yaml` in the configuration directory, and `AUTHENTICATE_KEY_SOURCE`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{StoreError, key::KeySource};
use crate::{
    config::{
        Paths,
        yaml::{self, Findings, Problem},
    },
    fs::read::check_absent,
};

/// The variable that overrides `key_source` in the configuration.
const VARIABLE: &str = "AUTHENTICATE_KEY_SOURCE";

/// The content of `config.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The settings of the store.
    store: KeyConfig,
}

/// The settings of a store's key. Source and file count only when a key is made; the database records the choice.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyConfig {
    /// The key source. Default: the one that the other fields belong to; else the key ring, if there is one; else a key
    /// file.
    #[serde(rename = "key_source")]
    pub source: Option<KeySource>,
    /// A command that prints the passphrase on the first line of its standard output, with its arguments. It is run
    /// without a shell.
    pub passphrase_command: Option<Vec<String>>,
    /// The key file. Default: `store.key` in the data directory.
    pub key_file: Option<PathBuf>,
}

/// The place of a store, and the settings of its key.
#[derive(Clone, Debug)]
pub struct Place {
    data_dir: PathBuf,
    settings: Settings,
}

#[derive(Clone, Debug)]
enum Settings {
    /// The environment.
    Environment,
    /// The environment and this file.
    File(PathBuf),
    /// These settings.
    Given(KeyConfig),
}

impl Place {
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Returns the file with the settings, if there may be one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.settings {
            Settings::File(file) => Some(file),
            Settings::Environment | Settings::Given(_) => None,
        }
    }

    /// Sets the key source for a store that has no key yet, in place of the configuration.
    pub fn key_source(self, source: KeySource) -> Self {
        let config = KeyConfig { source: Some(source), ..KeyConfig::default() };
        Self { settings: Settings::Given(config), ..self }
    }

    /// Returns the settings of the key.
    pub(super) fn key_config(&self) -> Result<KeyConfig, StoreError> {
        let mut config = match &self.settings {
            Settings::Given(config) => return Ok(config.clone()),
            Settings::Environment => KeyConfig::default(),
            Settings::File(file) => read(file).map_err(StoreError::Settings)?,
        };
        if let Some(value) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            let source = value.to_string_lossy().parse().map_err(|message| {
                StoreError::Settings(vec![Problem { file: VARIABLE.to_owned(), at: None, message }])
            })?;
            config.source = Some(source);
        }
        Ok(config)
    }
}

/// Uses a data directory, and only the environment as configuration.
impl<P: AsRef<Path> + ?Sized> From<&P> for Place {
    fn from(data_dir: &P) -> Self {
        let place = Self { data_dir: data_dir.as_ref().to_owned(), settings: Settings::Environment };
        // Tests of the library must not use the machine's key ring.
        if cfg!(test) { place.key_source(KeySource::KeyFile) } else { place }
    }
}

/// Uses the data directory and the configuration of these paths.
impl From<&Paths> for Place {
    fn from(paths: &Paths) -> Self {
        let file = paths.config().join("config.yaml");
        Self { data_dir: paths.data().to_owned(), settings: Settings::File(file) }
    }
}

/// Checks the settings of the store in the configuration and the environment.
///
/// # Errors
/// [`StoreError::Settings`]
pub fn check_settings(paths: &Paths) -> Result<(), StoreError> {
    Place::from(paths).key_config().map(drop)
}

fn read(file: &Path) -> Result<KeyConfig, Vec<Problem>> {
    if fs::symlink_metadata(file).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let unread = |error: std::io::Error| vec![Problem::unread(file, &error)];
        return check_absent(file).map(|()| KeyConfig::default()).map_err(unread);
    }
    let text = yaml::read_file(file).map_err(|problem| vec![problem])?;
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(KeyConfig::default());
    }
    let mut config =
        yaml::parse(&file.display().to_string(), &text, |all: &mut Config| lint(&all.store))?.store;
    config.source = config.source.or(match (&config.passphrase_command, &config.key_file) {
        (Some(_), None) => Some(KeySource::Command),
        (None, Some(_)) => Some(KeySource::KeyFile),
        _ => None,
    });
    Ok(config)
}

fn lint(config: &KeyConfig) -> Findings {
    let mut findings = Findings::default();
    let mut add = |path: &str, message: String| findings.add(path, message);
    if let Some(file) = &config.key_file
        && !file.is_absolute()
    {
        add("store.key_file", format!("{} is not an absolute path", file.display()));
    }
    match (&config.passphrase_command, &config.key_file, config.source) {
        (Some(words), ..) if words.first().is_none_or(String::is_empty) => {
            add("store.passphrase_command", "it names no program".into());
        }
        (Some(_), _, Some(other)) if other != KeySource::Command => {
            let why = format!("it is for the key source command, and key_source is {other}");
            add("store.passphrase_command", why);
        }
        (_, Some(_), Some(other)) if other != KeySource::KeyFile => {
            let why = format!("it is for the key source key_file, and key_source is {other}");
            add("store.key_file", why);
        }
        (Some(_), Some(_), None) => {
            add("store", "it has a passphrase_command and a key_file: key_source says which".into());
        }
        (None, _, Some(KeySource::Command)) => {
            add("store.key_source", "the key source command needs a passphrase_command".into());
        }
        _ => {}
    }
    findings
}
