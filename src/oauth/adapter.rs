//! Between the `oauth2` crate, which knows the forms of requests, and our HTTP, which knows what servers do with them.

use std::pin::Pin;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    ClientAuth, Endpoint, Http, OAuthError, TokenEndpoint,
    error::Cause,
    http::Answer,
    refusal::{self, Sent},
};
use crate::{
    credential::{Secret, wipe},
    provider::descriptor::Body,
};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The members that hold tokens.
const TOKENS: [&str; 2] = ["access_token", "refresh_token"];

/// What is secret in a request, by parameter. The crate, which wipes nothing, is never given it.
pub(super) type Secrets<'a> = [(&'static str, &'a Secret)];

/// Sends what the crate prepared, with what is secret put in, to this endpoint only, in the form that the vendor wants.
#[derive(Clone, Copy)]
pub(super) struct Adapter<'a> {
    pub http: &'a Http,
    pub url: &'a Endpoint,
    pub client: &'a TokenEndpoint,
    pub secrets: &'a Secrets<'a>,
}

impl Adapter<'_> {
    /// One exchange. What comes back is JSON: the server's answer, or its refusal in the form of RFC 6749 section 5.2
    /// with status 400.
    async fn call(self, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
        let mut parameters = parameters(&Zeroizing::new(request.into_body()));
        for (name, secret) in self.secrets {
            put(&mut parameters, name, Zeroizing::new(secret.expose().to_owned()));
        }
        let TokenEndpoint { client_id, client_secret, client_auth, body, .. } = self.client;
        let mut authorization = None;
        match (client_secret, client_auth) {
            (Some(secret), ClientAuth::Basic) => {
                parameters.retain(|(name, _)| name != "client_id");
                authorization = Some((basic(client_id, secret), secret));
            }
            (Some(secret), ClientAuth::Body) => {
                put(&mut parameters, "client_secret", Zeroizing::new(secret.expose().to_owned()));
            }
            (None, _) => {}
        }
        let in_header = authorization
            .iter()
            .flat_map(|(encoded, secret)| [encoded.clone(), Zeroizing::new(secret.expose().to_owned())]);
        let sent = Sent::new(parameters, in_header.collect());
        let (kind, body) = match body {
            Body::Form => (FORM, sent.form()),
            Body::Json => (JSON, sent.json()),
        };
        let mut headers = HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, kind)]);
        if let Some((encoded, _)) = &authorization {
            let value = Zeroizing::new(format!("Basic {}", encoded.as_str()));
            let value = HeaderValue::from_str(&value);
            let mut value = value.map_err(|error| OAuthError::Setup(error.to_string()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let answer = self.http.post(self.url, headers, body).await?;
        response(&self.url.host(), &answer, &sent)
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

type Parameter = (String, Zeroizing<String>);

/// What stands in the crate's form. An empty client id is one that there is not.
fn parameters(form: &[u8]) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (name, value) in form_urlencoded::parse(form) {
        if name != "client_id" || !value.is_empty() {
            put(&mut parameters, &name, Zeroizing::new(value.into_owned()));
        }
    }
    parameters
}

/// A parameter that is there twice counts as it was added last (RFC 6749 section 3.2 allows none twice).
fn put(parameters: &mut Vec<Parameter>, name: &str, value: Zeroizing<String>) {
    match parameters.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => parameters.push((name.to_owned(), value)),
    }
}

/// A client and its secret as they are in a header (RFC 6749 section 2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Zeroizing<String> {
    // Large enough from the start: a buffer that grows leaves copies behind.
    let room = 3 * (client_id.len() + secret.expose().len()) + 1;
    let mut pair = Zeroizing::new(String::with_capacity(room));
    pair.extend(form_urlencoded::byte_serialize(client_id.as_bytes()));
    pair.push(':');
    pair.extend(form_urlencoded::byte_serialize(secret.expose().as_bytes()));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

/// The crate's view of an answer.
fn response(host: &str, answer: &Answer, sent: &Sent) -> Result<HttpResponse, OAuthError> {
    let status = answer.status;
    let bad = |what| OAuthError::BadReply { host: host.to_owned(), status, what };
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let refused =
        json.as_ref().filter(|json| !contains(status, json)).and_then(|json| refusal::read(json, sent));
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
fn contains(status: u16, json: &Value) -> bool {
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
