//! The device authorization grant (RFC 8628): a code that a person confirms on another device.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use oauth2::{
    AsyncHttpClient, DeviceAuthorizationUrl, DeviceCodeErrorResponse, HttpRequest, HttpResponse, Scope,
    StandardDeviceAuthorizationResponse,
};
use serde_json::Value;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{
    Endpoint, Http, OAuthError, TokenEndpoint, Tokens,
    adapter::Adapter,
    grant::Parameters,
    token::{Refusal, tokens, unwrapped},
};

/// Servers that do not say how long a code lasts mean about this.
const LIFETIME: u64 = 15 * 60;
/// No code lasts longer, whatever the server says.
const MAX_LIFETIME: u64 = 60 * 60;
/// RFC 8628 section 3.2.
const INTERVAL: u64 = 5;
const MAX_INTERVAL: u64 = 60;
const MAX_USER_CODE: usize = 64;

/// A code that waits to be confirmed.
#[derive(Debug)]
pub struct DeviceCode {
    /// What the person types: printable, at most 64 characters.
    pub user_code: String,
    /// Where.
    pub url: Endpoint,
    /// The same with the code in it, where the server has such an address.
    pub complete_url: Option<Endpoint>,
    /// How long the code lasts.
    pub expires_in: Duration,
    response: StandardDeviceAuthorizationResponse,
}

/// Asks for a code (RFC 8628 section 3.1).
///
/// # Errors
/// [`OAuthError`]
pub async fn start(
    http: &Http,
    url: &Endpoint,
    endpoint: &TokenEndpoint,
    scopes: &[String],
    parameters: &Parameters,
) -> Result<DeviceCode, OAuthError> {
    let address = DeviceAuthorizationUrl::from_url(url.url().clone());
    let client = endpoint.client().set_device_authorization_url(address);
    let adapter = Tidy(Adapter { http, url, client: endpoint, secrets: &[] });
    let mut request = client.exchange_device_code().add_scopes(scopes.iter().cloned().map(Scope::new));
    for (name, value) in parameters {
        request = request.add_extra_param(name, value);
    }
    let response: Result<StandardDeviceAuthorizationResponse, _> = request.request_async(&adapter).await;
    let response = response.map_err(|error| unwrapped(url, error))?;
    let bad = |what| OAuthError::BadReply { host: url.host(), status: 200, what };
    let user_code = response.user_code().secret().trim().to_owned();
    if user_code.is_empty()
        || user_code.len() > MAX_USER_CODE
        || !user_code.chars().all(|c| c.is_ascii_graphic() || c == ' ')
    {
        return Err(bad("its code is none that a person could type"));
    }
    let page = |text: &str| text.parse::<Endpoint>().map_err(|_| bad("its page is not https"));
    let complete = response.verification_uri_complete().map(|page| page.secret().clone());
    Ok(DeviceCode {
        user_code,
        url: page(response.verification_uri().as_str())?,
        complete_url: complete.as_deref().map(page).transpose()?,
        expires_in: response.expires_in(),
        response,
    })
}

/// Asks for the tokens until the code is confirmed, refused or too old (RFC 8628 section 3.4). Asks as often as the server
/// allows, less often when it says `slow_down` or cannot be reached. Dropping it ends it.
///
/// # Errors
/// [`OAuthError`]: `access_denied` and `expired_token` are [`OAuthError::Refused`].
pub async fn wait(
    http: &Http,
    endpoint: &TokenEndpoint,
    code: &DeviceCode,
    parameters: &Parameters,
) -> Result<Tokens, OAuthError> {
    wait_with(http, endpoint, code, parameters, tokio::time::sleep).await
}

pub(super) async fn wait_with<S: Future<Output = ()> + Send>(
    http: &Http,
    endpoint: &TokenEndpoint,
    code: &DeviceCode,
    parameters: &Parameters,
    sleep: impl Fn(Duration) -> S + Send + Sync,
) -> Result<Tokens, OAuthError> {
    let client = endpoint.client();
    let (final_error, mut final_errors) = mpsc::unbounded_channel();
    let last = Arc::new(Mutex::new(None));
    let poll = Poll { adapter: endpoint.adapter(http, &[]), final_error, last: Arc::clone(&last) };
    let mut request = client.exchange_device_access_token(&code.response);
    for (name, value) in parameters {
        request = request.add_extra_param(name, value);
    }
    let reply = tokio::select! {
        reply = request.request_async(&poll, sleep, None) => reply,
        Some(error) = final_errors.recv() => return Err(error),
    };
    let got = tokens(&endpoint.url, reply);
    // When the time was up while the server could not be reached, that is what went wrong.
    match (got, last.lock().ok().and_then(|mut last| last.take())) {
        (Err(OAuthError::Refused { code, .. }), Some(error)) if code == "expired_token" => Err(error),
        (got, _) => got,
    }
}

impl Refusal for DeviceCodeErrorResponse {
    fn code(&self) -> String {
        self.error().as_ref().to_owned()
    }

    fn description(&self) -> Option<String> {
        self.error_description().cloned()
    }
}

/// The crate asks again after every error that is not a refusal. Some are final all the same.
struct Poll<'a> {
    adapter: Adapter<'a>,
    final_error: mpsc::UnboundedSender<OAuthError>,
    last: Arc<Mutex<Option<OAuthError>>>,
}

type Answered<'c> = Pin<Box<dyn Future<Output = Result<HttpResponse, OAuthError>> + Send + 'c>>;

impl<'c> AsyncHttpClient<'c> for Poll<'_> {
    type Error = OAuthError;
    type Future = Answered<'c>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = AsyncHttpClient::call(&self.adapter, request).await;
            let (answer, seen) = match answer {
                Ok(answer) => (Ok(answer), None),
                Err(
                    error @ (OAuthError::Unreachable { .. }
                    | OAuthError::OutcomeUnknown { .. }
                    | OAuthError::Unavailable { .. }),
                ) => (Err(OAuthError::Setup("again".into())), Some(error)),
                Err(error) => {
                    let _ = self.final_error.send(error);
                    std::future::pending().await
                }
            };
            if let Ok(mut last) = self.last.lock() {
                *last = seen;
            }
            answer
        })
    }
}

/// Makes the first answer one that the crate can read, and its times bearable.
struct Tidy<'a>(Adapter<'a>);

impl<'c> AsyncHttpClient<'c> for Tidy<'_> {
    type Error = OAuthError;
    type Future = Answered<'c>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = AsyncHttpClient::call(&self.0, request).await?;
            let body = Zeroizing::new(std::mem::take(answer.body_mut()));
            *answer.body_mut() = tidy(&body);
            Ok(answer)
        })
    }
}

fn tidy(body: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return body.to_vec() };
    for (name, usual, most) in [("expires_in", LIFETIME, MAX_LIFETIME), ("interval", INTERVAL, MAX_INTERVAL)]
    {
        let seconds = match members.get(name) {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        members.insert(name.to_owned(), seconds.unwrap_or(usual).clamp(1, most).into());
    }
    let value = Value::Object(members);
    let text = value.to_string().into_bytes();
    crate::credential::wipe(value);
    text
}
