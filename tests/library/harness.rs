//! Who answers, and where it is stored.

use std::{io, sync::Mutex};

use authenticate::{
    Client, Error,
    config::Paths,
    credential::{Name, Record, Secret},
    login::{LoginOptions, cancel},
    provider::{Descriptor, Mode},
    resolve::{Request, Source, resolve},
    ui::{Console, Event, Nobody, Ui, UiError},
};
use tempfile::TempDir;

pub const KEY: &str = "sk-CANARY-0123456789-abcdefghij";

/// Answers from a script, and keeps what it was asked and shown.
#[derive(Default)]
pub struct Script {
    pub mode: Option<Mode>,
    pub secret: Option<&'static str>,
    pub said: Mutex<Vec<String>>,
}

impl Script {
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    pub fn hears(&self, text: String) {
        self.said.lock().unwrap().push(text);
    }
}

impl Ui for Script {
    fn choose_mode(&self, provider: &Descriptor, modes: &[Mode]) -> Result<Mode, UiError> {
        self.hears(format!("{}: {modes:?}", provider.name));
        self.mode.ok_or(UiError::Interrupted)
    }

    fn ask_secret(&self, prompt: &str, _: Option<&str>) -> Result<Secret, UiError> {
        self.hears(prompt.to_owned());
        self.secret.map(Secret::from).ok_or_else(|| UiError::NoOneToAsk("nobody".into()))
    }

    fn show(&self, event: Event<'_>) {
        self.hears(format!("{event:?}"));
    }

    fn console(&self) -> io::Result<Console> {
        panic!("an API key needs no console")
    }

    fn browser_can_return(&self) -> bool {
        false
    }
}

pub struct Home {
    pub directory: TempDir,
    pub paths: Paths,
}

pub fn home() -> Home {
    let directory = TempDir::new().expect("a directory");
    let paths = Paths::new(directory.path().join("config"), directory.path().join("data"));
    Home { directory, paths }
}

impl Home {
    pub fn writes(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).expect("a directory");
        std::fs::write(path, text).expect("written");
    }

    pub fn resolves(&self, provider: &str) -> Result<String, Error> {
        let found = resolve(&self.paths, &Request::new(&name("demo"), provider))?.without_refresh()?;
        assert_eq!(found.source, Source::Stored);
        Ok(found.credential.usable().expect("one value").expose().to_owned())
    }
}

pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

pub fn in_memory(home: &Home) -> Client {
    Client::in_memory(home.paths.clone()).expect("a client")
}

pub async fn logs_in(client: &Client, provider: &str, how: LoginOptions) -> Result<Record, Error> {
    client.login(provider, how, &Nobody, &mut cancel::pair().1).await
}

pub fn key(key: &str) -> LoginOptions {
    LoginOptions { api_key: Some(key.into()), ..LoginOptions::default() }
}
