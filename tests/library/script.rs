//! A scripted user interface, and short forms for what a program does with the library.

use std::{io, sync::Mutex};

use authenticate::{
    Client, Error, cancel_pair,
    context::Context,
    credential::{Record, Secret},
    login::LoginOptions,
    provider::{Descriptor, Mode},
    resolve::{Request, Source, resolve},
    ui::{Console, Event, Ui, UiError},
};
use test_support::Home;

/// A user interface that answers from a script and keeps what it was asked and shown.
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

/// The stored value for a provider.
pub fn resolves(home: &Home, provider: &str) -> Result<String, Error> {
    let context = Context::new(home.paths.clone());
    let found = resolve(&context, &Request::new(provider))?.without_refresh()?;
    assert_eq!(found.source, Source::Stored);
    Ok(found.credential.usable().expect("one value").expose().to_owned())
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

pub fn in_memory(home: &Home) -> Client {
    Client::in_memory(home.paths.clone()).expect("a client")
}

pub async fn logs_in(client: &Client, provider: &str, how: LoginOptions) -> Result<Record, Error> {
    client.login(provider, how, &mut cancel_pair().1).await
}

pub fn key(key: &str) -> LoginOptions {
    LoginOptions { api_key: Some(key.into()), ..LoginOptions::default() }
}
