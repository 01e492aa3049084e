//! Between the `oauth2` crate, which knows the forms of requests, and our HTTP, which knows what servers do with them.

use std::{borrow::Cow, pin::Pin};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    Endpoint, Http, OAuthError,
    error::Cause,
    http::Answer,
    refusal::{self, Sent},
};
use crate::{credential::wipe, provider::descriptor::Body};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The members that hold tokens.
const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

/// Sends what the crate prepared, to this endpoint only, in the form that the vendor wants.
#[derive(Clone, Copy)]
pub(super) struct Adapter<'a> {
    pub http: &'a Http,
    pub endpoint: &'a Endpoint,
    pub body: Body,
}

impl Adapter<'_> {
    /// One exchange. What comes back is JSON: the server's answer, or its refusal in the form of RFC 6749 section 5.2
    /// with status 400.
    async fn call(self, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
        let (parts, form) = request.into_parts();
        let form = Zeroizing::new(form);
        let sent =
            Sent::new(parameters(&form), parts.headers.get(AUTHORIZATION).map(secrets).unwrap_or_default());
        let (kind, body) = match self.body {
            Body::Form => (FORM, sent.form()),
            Body::Json => (JSON, sent.json()),
        };
        let mut headers = HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, kind)]);
        if let Some(value) = parts.headers.get(AUTHORIZATION) {
            let mut value = value.clone();
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let answer = self.http.post(self.endpoint, headers, body).await?;
        response(&self.endpoint.host(), &answer, &sent)
    }
}

/// Boxed, because the compiler does not see that a borrowing closure's future can go to another thread.
impl<'c> AsyncHttpClient<'c> for Adapter<'_> {
    type Error = OAuthError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OAuthError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(Adapter::call(*self, request))
    }
}

/// What stands in the crate's form. A parameter that is there twice counts as it was added last (RFC 6749 section 3.2 allows
/// none twice), and an empty client id is one that there is not.
fn parameters(form: &[u8]) -> Vec<(String, Zeroizing<String>)> {
    let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
    for (name, value) in form_urlencoded::parse(form) {
        if name == "client_id" && value.is_empty() {
            continue;
        }
        let value = Zeroizing::new(Cow::into_owned(value));
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => parameters.push((name.into_owned(), value)),
        }
    }
    parameters
}

/// The secrets of a client in a header (RFC 6749 section 2.3.1): the whole, and its password as it is without the encoding.
fn secrets(header: &HeaderValue) -> Vec<Zeroizing<String>> {
    let Some(whole) = header.to_str().ok().and_then(|text| text.strip_prefix("Basic ")) else {
        return Vec::new();
    };
    let mut secrets = vec![Zeroizing::new(whole.to_owned())];
    let pair = STANDARD.decode(whole).map(Zeroizing::new).unwrap_or_default();
    if let Some(at) = pair.iter().position(|byte| *byte == b':') {
        // As the value of a form's field, which is how it was encoded.
        let field = [b"=", &pair[at + 1..]].concat();
        let password = form_urlencoded::parse(&field).next().map(|(_, value)| value.into_owned());
        secrets.extend(password.map(Zeroizing::new));
        drop(Zeroizing::new(field));
    }
    secrets
}

/// The crate's view of an answer.
fn response(host: &str, answer: &Answer, sent: &Sent) -> Result<HttpResponse, OAuthError> {
    let status = answer.status;
    let bad = |what| OAuthError::BadReply { host: host.to_owned(), status, what };
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let refused =
        json.as_ref().filter(|json| !gives(status, json)).and_then(|json| refusal::read(json, sent));
    let waits = matches!(&refused, Some((code, _)) if code == "slow_down" || code == "authorization_pending");
    let done = match (status, refused) {
        // Whoever does not do it gives no token.
        (..200 | 300.., None) if json.as_ref().is_some_and(|json| has_any(json, &TOKENS)) => {
            let source = Cause(format!("status {status}, and a token in the answer"));
            Err(OAuthError::OutcomeUnknown { host: host.to_owned(), source })
        }
        (429 | 500 | 503, _) if !waits => {
            Err(OAuthError::Unavailable { host: host.to_owned(), status, retry_after: answer.retry_after })
        }
        // Some vendors refuse with status 200.
        (_, Some((code, description))) => {
            let mut refusal = Map::from_iter([("error".to_owned(), Value::from(code))]);
            refusal.extend(description.map(|text| ("error_description".to_owned(), text.into())));
            reply(400, Value::Object(refusal).to_string().into_bytes())
        }
        (200..300, None) => match &json {
            Some(Value::Object(_)) => reply(200, answer.body.to_vec()),
            // A revocation is answered with nothing (RFC 7009 section 2.2).
            _ if answer.body.iter().all(u8::is_ascii_whitespace) => reply(200, Vec::new()),
            _ => Err(bad("it is not a JSON object")),
        },
        _ => Err(bad("it is no answer of an authorization server")),
    };
    if let Some(json) = json {
        wipe(json);
    }
    done
}

/// Whoever gives a token does not refuse, whatever else is said beside it.
fn gives(status: u16, json: &Value) -> bool {
    (200..300).contains(&status) && has_any(json, &["access_token"])
}

/// Whether one of these members holds something.
fn has_any(json: &Value, names: &[&str]) -> bool {
    let holds = |name: &&str| json.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    names.iter().any(holds)
}

fn reply(status: u16, body: Vec<u8>) -> Result<HttpResponse, OAuthError> {
    let built = http::Response::builder().status(status).header(CONTENT_TYPE, JSON).body(body);
    built.map_err(|error| OAuthError::Setup(error.to_string()))
}
