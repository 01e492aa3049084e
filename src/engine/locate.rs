//! Finds an engine and connects to it.

use std::{io, sync::Arc, time::Duration};

use bollard::{BollardRequest, ClientVersion, Docker};

use super::{
    Engine, EngineError, EngineSelector, Probe,
    address::Address,
    connection::Connection,
    environment::{Environment, Place},
    facts, hints,
};
use crate::{config::engine_selector::has_secret, redact};

/// Time for an engine to say what it is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Seconds for one answer of a connected engine. Builds and waits stream their answers and are not bounded by it.
const ANSWER_SECONDS: u64 = 120;
/// The newest API version that this program uses; with an older engine it uses the engine's.
const API: ClientVersion = ClientVersion { major_version: 1, minor_version: 44 };

/// The outcome for a socket that this user has no right to use.
const NO_PERMISSION: &str = "permission denied";

/// Connects to the selected engine, or to the first one that answers.
///
/// # Errors
/// [`EngineError::NotFound`] with every address that was tried.
pub async fn connect(selector: &EngineSelector) -> Result<Engine, EngineError> {
    let environment = Environment::from_env();
    let mut probes = Vec::new();
    for Place { url, reason } in environment.places(selector) {
        let (url, outcome) = match url {
            Ok(url) => match at(&url, CONNECT_TIMEOUT).await {
                Ok(engine) => return Ok(engine),
                Err(outcome) => (shown(&url), outcome),
            },
            Err(why) => (reason.clone(), why),
        };
        probes.push(Probe { url, reason, outcome });
    }
    let forbidden = probes.iter().any(|probe| probe.outcome == NO_PERMISSION);
    Err(EngineError::NotFound { hint: hints::not_found_hint(&environment, selector, forbidden), probes })
}

/// Returns a URL without a password, and what is no URL without what could be a key.
fn shown(url: &str) -> String {
    match url.contains("://") || url.starts_with('/') {
        true if has_secret(url) => redact::redact_url(url),
        true => url.to_owned(),
        false => redact::quote(url),
    }
}

/// Connects to the engine at `url`.
///
/// # Errors
/// The reason, in words, why there is no engine at `url` that answers within `timeout`.
pub async fn at(url: &str, timeout: Duration) -> Result<Engine, String> {
    let expired = || format!("did not answer within {} s", timeout.as_secs());
    tokio::time::timeout(timeout, connect_at(url)).await.unwrap_or_else(|_| Err(expired()))
}

async fn connect_at(url: &str) -> Result<Engine, String> {
    let address = Address::parse(url)?;
    let (is_socket, is_ssh) = (address.is_socket(), matches!(address, Address::Ssh(_)));
    let connection = Arc::new(Connection::new(address));
    let (facts, api) = facts::read(&connection).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if is_socket => "no such socket".to_owned(),
        io::ErrorKind::ConnectionRefused if is_socket => "nothing listens there".to_owned(),
        io::ErrorKind::PermissionDenied if is_socket => NO_PERMISSION.to_owned(),
        _ if is_ssh => error.to_string(),
        _ => format!("not a container engine: {error}"),
    })?;
    let shared = Arc::clone(&connection);
    let transport = move |request: BollardRequest| {
        let connection = Arc::clone(&shared);
        async move { connection.send(request).await.map_err(Into::into) }
    };
    let api = api_version(api.as_deref());
    let client =
        Docker::connect_with_custom_transport(transport, Some("http://localhost"), ANSWER_SECONDS, &api);
    let api = client.map_err(|error| error.to_string())?;
    Ok(Engine { api, connection, url: url.to_owned(), facts })
}

/// Returns the newest API version that both the engine and this program know.
fn api_version(announced: Option<&str>) -> ClientVersion {
    let parts = announced.and_then(|text| text.split_once('.'));
    let parsed = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some(version) if version < (API.major_version, API.minor_version) => {
            ClientVersion { major_version: version.0, minor_version: version.1 }
        }
        _ => API,
    }
}
