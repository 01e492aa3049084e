//! Finds an engine and connects to it.

use std::{io, time::Duration};

use bollard::{ClientVersion, Docker};

use super::{Engine, EngineError, EngineSelector, Probe, environment::Environment, facts, hints};
use crate::{config::engine_selector::NO_USER_IN_URL, redact};

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
    for (url, reason) in environment.places(selector) {
        match at(&url, CONNECT_TIMEOUT).await {
            Ok(engine) => return Ok(engine),
            Err(outcome) => {
                let is_url = url.contains("://") || url.starts_with('/');
                let url = if is_url { redact::redact_url(&url) } else { redact::quote(&url) };
                probes.push(Probe { url, reason, outcome });
            }
        }
    }
    let forbidden = probes.iter().any(|probe| probe.outcome == NO_PERMISSION);
    Err(EngineError::NotFound { hint: hints::not_found_hint(&environment, selector, forbidden), probes })
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
    if redact::has_userinfo(url) {
        return Err(NO_USER_IN_URL.to_owned());
    }
    let is_socket = url.starts_with("unix://");
    if !is_socket && !url.starts_with("tcp://") && !url.starts_with("http://") {
        return Err("not a URL of the form unix:///path or tcp://host:port".to_owned());
    }
    let (facts, api) = facts::read(url).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if is_socket => "no such socket".to_owned(),
        io::ErrorKind::ConnectionRefused if is_socket => "nothing listens there".to_owned(),
        io::ErrorKind::PermissionDenied if is_socket => NO_PERMISSION.to_owned(),
        _ => format!("not a container engine: {error}"),
    })?;
    let api = api_version(api.as_deref());
    let client = match is_socket {
        true => Docker::connect_with_unix(url, ANSWER_SECONDS, &api),
        false => Docker::connect_with_http(url, ANSWER_SECONDS, &api),
    };
    let api = client.map_err(|error| error.to_string())?;
    Ok(Engine { api, url: url.to_owned(), facts })
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
