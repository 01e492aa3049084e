//! The device authorization grant (RFC 8628).

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{Endpoint, Http, OAuthError, TokenEndpoint, Tokens, form::Form, grant::ACCESS_TOKEN, response};
use crate::{
    credential::{Secret, wipe},
    provider::flow::Flow,
};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The lifetime of a code whose server gives none, in seconds.
const DEFAULT_LIFETIME: u64 = 15 * 60;
const MAX_LIFETIME: u64 = 60 * 60;
/// RFC 8628 section 3.2.
const DEFAULT_INTERVAL: u64 = 5;
const MAX_INTERVAL: u64 = 60;
/// The increment of `slow_down` (RFC 8628 section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The longest interval that backoff alone leads to.
const MAX_BACKOFF: Duration = Duration::from_secs(10);
const MAX_USER_CODE: usize = 64;

/// A device authorization response (RFC 8628 section 3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// The code that the person types: printable, at most 64 characters.
    pub user_code: String,
    /// The page to type it at.
    pub verification_uri: Endpoint,
    /// The page's address with the code in it, where the server has one.
    pub verification_uri_complete: Option<Endpoint>,
    /// The lifetime of both codes.
    pub expires_in: Duration,
    device_code: Secret,
    interval: Duration,
}

/// Requests a user code (RFC 8628 section 3.1).
///
/// # Errors
/// [`OAuthError`]
pub async fn start(
    http: &Http,
    url: &Endpoint,
    endpoint: &TokenEndpoint,
    flow: &Flow,
) -> Result<DeviceAuthorization, OAuthError> {
    let form = Form::default().with_scopes_and_parameters(flow);
    let members = response::required(url, endpoint.post(http, url, form).await?)?;
    let read = DeviceAuthorization::read(&members);
    wipe(members.into());
    read.map_err(|what| OAuthError::BadReply { host: url.host(), status: 200, what })
}

impl DeviceAuthorization {
    /// Reads the members of a response. The error says what is wrong with it.
    fn read(members: &Map<String, Value>) -> Result<Self, &'static str> {
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let seconds = |name: &str, default, most| {
            let given = members.get(name).and_then(whole_seconds);
            Duration::from_secs(given.unwrap_or(default).clamp(1, most))
        };
        let endpoint =
            |page: &str| page.parse().map_err(|_| "the verification page in it is not an https URL");
        // Servers older than the RFC name it otherwise.
        let page = text("verification_uri").or_else(|| text("verification_url"));
        let page = page.ok_or("there is no verification page in it")?;
        Ok(Self {
            user_code: text("user_code")
                .and_then(typeable)
                .ok_or("there is no code in it that can be typed")?,
            verification_uri: endpoint(page)?,
            verification_uri_complete: text("verification_uri_complete").map(endpoint).transpose()?,
            expires_in: seconds("expires_in", DEFAULT_LIFETIME, MAX_LIFETIME),
            device_code: text("device_code").ok_or("there is no device code in it")?.into(),
            interval: seconds("interval", DEFAULT_INTERVAL, MAX_INTERVAL),
        })
    }
}

/// Polls the token endpoint until the code is confirmed, refused or expired (RFC 8628 section 3.4): at the server's
/// interval, and less often after `slow_down` or while the server is out of reach.
///
/// # Errors
/// [`OAuthError`]: `access_denied` and `expired_token` are [`OAuthError::Refused`].
pub async fn wait(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    code: &DeviceAuthorization,
) -> Result<Tokens, OAuthError> {
    wait_with(http, endpoint, flow, code, tokio::time::sleep).await
}

pub(super) async fn wait_with<S: Future<Output = ()> + Send>(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    code: &DeviceAuthorization,
    sleep: impl Fn(Duration) -> S + Send + Sync,
) -> Result<Tokens, OAuthError> {
    let started = Instant::now();
    let mut interval = code.interval;
    // If the code expires while the server is out of reach, that is the error to report.
    let mut unreachable = None;
    while started.elapsed() <= code.expires_in {
        let form = Form::grant(DEVICE_CODE)
            .with_parameters(&flow.token_parameters)
            .with("device_code", code.device_code.expose());
        let error = match endpoint.request_tokens(http, form, ACCESS_TOKEN).await {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        unreachable = None;
        match error {
            OAuthError::Refused { code, .. } if code == "authorization_pending" => {}
            OAuthError::Refused { code, .. } if code == "slow_down" => interval += SLOW_DOWN,
            OAuthError::Unreachable { .. }
            | OAuthError::OutcomeUnknown { .. }
            | OAuthError::Unavailable { .. } => {
                interval = interval.max(MAX_BACKOFF.min(interval * 2));
                unreachable = Some(error);
            }
            error => return Err(error),
        }
        sleep(interval).await;
    }
    Err(unreachable
        .unwrap_or_else(|| OAuthError::refused("expired_token", Some("the device code has expired"))))
}

/// Returns the user code without surrounding white space, if a person can type it.
fn typeable(user_code: &str) -> Option<String> {
    let code = user_code.trim();
    let typeable = code.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    (!code.is_empty() && code.len() <= MAX_USER_CODE && typeable).then(|| code.to_owned())
}

/// A whole number of seconds, also as a string, which some servers send.
fn whole_seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
