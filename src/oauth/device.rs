//! The device authorization grant (RFC 8628).

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

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
/// The longest pause that failed polls alone lead to, beyond the server's interval.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
const MAX_USER_CODE: usize = 64;
const LOST: &str = "the tokens of this login may have been in an answer that was lost; the vendor may list it until they expire";

/// A device authorization response (RFC 8628 section 3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// The code that the person types: printable, at most 64 characters.
    pub user_code: String,
    /// The page to type it at.
    pub verification_uri: Endpoint,
    /// The page's address with the code in it, where the server has one of the same origin: what is opened is what is
    /// shown.
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
    let form = Form::default().with_scopes_and_parameters(&flow.scopes, &flow.parameters);
    let members = response::required(url, endpoint.post(http, url, form).await?)?;
    let read = DeviceAuthorization::read(&members, url.is_loopback());
    wipe(members.into());
    read.map_err(|what| OAuthError::BadReply { host: url.host(), status: 200, what })
}

impl DeviceAuthorization {
    /// Reads the members of a response; `from_loopback`: of a server on this machine, whose pages may be here, too. The
    /// error says what is wrong with it.
    fn read(members: &Map<String, Value>, from_loopback: bool) -> Result<Self, &'static str> {
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let seconds = |name: &str, default, most| {
            let given = members.get(name).and_then(whole_seconds);
            Duration::from_secs(given.unwrap_or(default).clamp(1, most))
        };
        // Servers older than the RFC name it otherwise.
        let page = text("verification_uri").or_else(|| text("verification_url"));
        let page: Endpoint = page
            .ok_or("there is no verification page in it")?
            .parse()
            .map_err(|_| "the verification page in it is not an https URL")?;
        if page.is_loopback() && !from_loopback {
            return Err("the verification page in it is on this machine");
        }
        let complete = text("verification_uri_complete").and_then(|page| page.parse::<Endpoint>().ok());
        Ok(Self {
            user_code: text("user_code")
                .and_then(typeable)
                .ok_or("there is no code in it that can be typed")?,
            verification_uri_complete: complete.filter(|url| url.url().origin() == page.url().origin()),
            verification_uri: page,
            expires_in: seconds("expires_in", DEFAULT_LIFETIME, MAX_LIFETIME),
            device_code: text("device_code").ok_or("there is no device code in it")?.into(),
            interval: seconds("interval", DEFAULT_INTERVAL, MAX_INTERVAL),
        })
    }
}

/// Polls the token endpoint until the code is confirmed, refused or expired (RFC 8628 section 3.4): at the server's
/// interval, and less often after `slow_down` or while polls fail. Reports each failure to `tell`, once.
///
/// A poll without a response is repeated, as RFC 8628 section 3.5 asks for. Tokens may have been lost with it; no token is
/// spent by repeating it, because a device code that was used up is refused.
///
/// # Errors
/// [`OAuthError`]: `access_denied` and `expired_token` are [`OAuthError::Refused`].
pub async fn wait(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    code: &DeviceAuthorization,
    tell: impl Fn(&str),
) -> Result<Tokens, OAuthError> {
    wait_with(http, endpoint, flow, code, tell, tokio::time::sleep).await
}

pub(super) async fn wait_with<S: Future<Output = ()> + Send>(
    http: &Http,
    endpoint: &TokenEndpoint,
    flow: &Flow,
    code: &DeviceAuthorization,
    tell: impl Fn(&str),
    sleep: impl Fn(Duration) -> S + Send + Sync,
) -> Result<Tokens, OAuthError> {
    let started = Instant::now();
    let (mut interval, mut failures) = (code.interval, Failures::default());
    while started.elapsed() <= code.expires_in {
        let form = Form::grant(DEVICE_CODE)
            .with_parameters(&flow.token_parameters)
            .with("device_code", code.device_code.expose());
        let error = match endpoint.request_tokens(http, form, ACCESS_TOKEN).await {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        let pause = match error {
            OAuthError::Refused { ref code, .. } if code == "authorization_pending" => failures.end(interval),
            OAuthError::Refused { ref code, .. } if code == "slow_down" => {
                interval += SLOW_DOWN;
                failures.end(interval)
            }
            OAuthError::Unreachable { .. }
            | OAuthError::OutcomeUnknown { .. }
            | OAuthError::Unavailable { .. } => failures.add(error, interval, &tell),
            error => return Err(failures.ended_by(error, &tell)),
        };
        sleep(pause.min(code.expires_in.saturating_sub(started.elapsed()))).await;
    }
    let last = failures.last.take();
    let expired = || OAuthError::refused("expired_token", Some("the device code has expired"));
    Err(failures.ended_by(last.unwrap_or_else(expired), &tell))
}

/// The polls that failed.
#[derive(Default)]
struct Failures {
    /// The error of the last poll. If the code expires meanwhile, that is the error to report.
    last: Option<OAuthError>,
    pause: Duration,
    said: BTreeSet<String>,
    /// Whether an answer was lost, perhaps with tokens.
    has_lost: bool,
}

impl Failures {
    /// Adds an error, and returns the pause before the next poll.
    fn add(&mut self, error: OAuthError, interval: Duration, tell: impl Fn(&str)) -> Duration {
        let pause = self.pause.max(interval);
        self.pause = (2 * pause).min(pause + SLOW_DOWN).min(interval + MAX_BACKOFF);
        let retry_after = match &error {
            OAuthError::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let text = format!("{error}; asking again until the code expires");
        if !self.said.contains(&text) {
            tell(&text);
            self.said.insert(text);
        }
        self.has_lost |= error.outcome_is_unknown();
        self.last = Some(error);
        self.pause.max(retry_after)
    }

    /// Ends a series of failures: the server has answered. Returns its interval.
    fn end(&mut self, interval: Duration) -> Duration {
        (self.last, self.pause) = (None, interval);
        interval
    }

    /// Says what may have been lost with an earlier answer, if the login ends with an error.
    fn ended_by(&self, error: OAuthError, tell: impl Fn(&str)) -> OAuthError {
        if self.has_lost {
            tell(LOST);
        }
        error
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_on_this_machine_is_refused_from_another_server() {
        let read = |page: &str, from_loopback| {
            let members = serde_json::json!({"device_code": "d", "user_code": "u", "verification_uri": page});
            DeviceAuthorization::read(members.as_object().expect("members"), from_loopback).map(drop)
        };
        for page in ["http://127.0.0.1:8080/x", "http://localhost/x", "https://[::1]/x"] {
            assert_eq!(read(page, false), Err("the verification page in it is on this machine"));
            assert_eq!(read(page, true), Ok(()));
        }
        assert_eq!(read("https://id.example/device", false), Ok(()));
    }
}
