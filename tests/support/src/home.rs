//! A home in a temporary directory, and the program run in it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use authenticate::{
    config::Paths,
    credential::{Address, Credential, Metadata},
    store::{FILE_NAME, KeySource, Place, Store, Summary},
};
use tempfile::TempDir;

use crate::{Outcome, Run, code, json, name, program_path};

/// An empty home with both directories of the program, none of which exists until it is needed.
pub struct Home {
    directory: TempDir,
    /// The directories of the program, for the library.
    pub paths: Paths,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("authenticate-test-").tempdir();
        let directory = directory.expect("a temporary directory");
        let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
        Self { directory, paths }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("config")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join(FILE_NAME)
    }

    /// Writes a file below the home and returns its path.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("written");
        path
    }

    /// The program in this home, with nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program_path());
        command.args(arguments).env_clear().envs(self.environment()).current_dir(self.path());
        command
    }

    /// A run of the program in this home.
    pub fn authenticate<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        let mut command = self.command(&[]);
        command.args(arguments);
        Run::new(command)
    }

    /// The variables that name the home, and no container engine.
    pub fn environment(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("HOME", self.path().to_owned()),
            ("AUTHENTICATE_CONFIG_DIR", self.config()),
            ("AUTHENTICATE_DATA_DIR", self.data()),
            ("DOCKER_HOST", "unix:///nonexistent/docker.sock".into()),
            ("CONTAINER_HOST", "unix:///nonexistent/podman.sock".into()),
        ]
    }

    /// Stores an API key from standard input.
    pub fn stores(&self, target: &str, key: &str) -> Outcome {
        self.authenticate(["demo", target, "--mode", "api_key", "--api-key-stdin"])
            .input(key)
            .exits(code::DONE)
    }

    /// Stores any credential through the library.
    pub fn put(&self, provider: &str, credential: &Credential, metadata: &Metadata) {
        let address = Address::default_profile(name(provider));
        Store::open(Place::from(&self.data()).key_source(KeySource::KeyFile))
            .expect("a store")
            .put(&address, credential, metadata)
            .expect("stored");
    }

    /// Everything that is stored, as `set/provider/profile` and the credential.
    pub fn stored(&self) -> Vec<(String, String)> {
        let Some(store) = Store::open_existing(&self.data()).expect("opened") else { return Vec::new() };
        let mut stored: Vec<_> = store
            .list(None)
            .expect("listed")
            .into_iter()
            .map(|Summary { address, .. }| {
                let record = store.get(&address).expect("read").expect("there");
                let text = String::from_utf8(record.credential.encode().to_vec()).expect("text");
                (format!("{}/{}/{}", address.set, address.provider, address.profile), text)
            })
            .collect();
        stored.sort();
        stored
    }

    /// The API keys that are stored, by `set/provider/profile`.
    pub fn keys(&self) -> Vec<(String, String)> {
        let key = |secret: String| json(&secret)["key"].as_str().expect("a key").to_owned();
        self.stored().into_iter().map(|(address, secret)| (address, key(secret))).collect()
    }
}
