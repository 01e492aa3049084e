//! What the configuration says about the store: `config.yaml` in the configuration directory, and
//! `AUTHENTICATE_KEY_SOURCE`.

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
        yaml::{self, Finding, Problem},
    },
    fs::read::check_absent,
};

/// Overrides `key_source` of the configuration.
const VARIABLE: &str = "AUTHENTICATE_KEY_SOURCE";

/// What `config.yaml` may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The store.
    store: KeyConfig,
}

/// How the key of a store should be kept. It counts when the key is made; then the database has a record of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyConfig {
    /// The key source. Default: the one that the other fields are of; else the key ring, where there is one; else
    /// a key file.
    #[serde(rename = "key_source")]
    pub source: Option<KeySource>,
    /// A command that prints the passphrase on the first line of its standard output, with its arguments. It is
    /// run without a shell.
    pub passphrase_command: Option<Vec<String>>,
    /// The key file. Default: `store.key` in the data directory.
    pub key_file: Option<PathBuf>,
}

/// Where a store is, and how its key should be kept.
#[derive(Clone, Debug)]
pub struct Place {
    data_dir: PathBuf,
    settings: Settings,
}

#[derive(Clone, Debug)]
enum Settings {
    /// What the environment says.
    Environment,
    /// What the environment and this file say.
    File(PathBuf),
    /// This.
    Given(KeyConfig),
}

impl Place {
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Should the store have no key yet, then it gets it from this source, whatever the configuration says.
    pub fn key_source(self, source: KeySource) -> Self {
        let wish = KeyConfig { source: Some(source), ..KeyConfig::default() };
        Self { settings: Settings::Given(wish), ..self }
    }

    /// How the key should be kept.
    pub(super) fn key_config(&self) -> Result<KeyConfig, StoreError> {
        let mut wish = match &self.settings {
            Settings::Given(wish) => return Ok(wish.clone()),
            Settings::Environment => KeyConfig::default(),
            Settings::File(file) => read(file).map_err(StoreError::Settings)?,
        };
        if let Some(value) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            let source = value.to_string_lossy().parse().map_err(|message| {
                StoreError::Settings(vec![Problem { file: VARIABLE.to_owned(), at: None, message }])
            })?;
            wish.source = Some(source);
        }
        Ok(wish)
    }
}

/// A data directory, and no configuration but the environment's.
impl From<&Path> for Place {
    fn from(data_dir: &Path) -> Self {
        let place = Self { data_dir: data_dir.to_owned(), settings: Settings::Environment };
        // The tests of the library leave the machine's key ring alone.
        if cfg!(test) { place.key_source(KeySource::KeyFile) } else { place }
    }
}

/// A data directory, and no configuration but the environment's.
impl From<&PathBuf> for Place {
    fn from(data_dir: &PathBuf) -> Self {
        data_dir.as_path().into()
    }
}

/// The data directory, and the configuration that belongs to it.
impl From<&Paths> for Place {
    fn from(paths: &Paths) -> Self {
        let file = paths.config().join("config.yaml");
        Self { data_dir: paths.data().to_owned(), settings: Settings::File(file) }
    }
}

/// Looks for mistakes in what the configuration and the environment say about the store.
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
    parse(&file.display().to_string(), &text)
}

fn parse(file: &str, text: &str) -> Result<KeyConfig, Vec<Problem>> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(KeyConfig::default());
    }
    let mut wish = yaml::parse(file, text, |config: &mut Config| lint(&config.store))?.store;
    wish.source = wish.source.or(match (&wish.passphrase_command, &wish.key_file) {
        (Some(_), None) => Some(KeySource::Command),
        (None, Some(_)) => Some(KeySource::KeyFile),
        _ => None,
    });
    Ok(wish)
}

fn lint(wish: &KeyConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |path: &str, message: String| findings.push(Finding { path: path.to_owned(), message });
    if let Some(file) = &wish.key_file
        && !file.is_absolute()
    {
        add("store.key_file", format!("{} is not an absolute path", file.display()));
    }
    match (&wish.passphrase_command, &wish.key_file, wish.source) {
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
