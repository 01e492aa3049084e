//! Posting a request to an authorization server, with client authentication.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{Endpoint, Http, OAuthError, form::Form, response, token_response::Tokens};
use crate::{
    credential::Secret,
    provider::{descriptor::Body, flow::ClientAuth},
};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A token or revocation endpoint, and the client that uses it.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    /// The address.
    pub url: Endpoint,
    /// The client identifier; empty where the vendor wants none.
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// The client authentication method (RFC 6749 section 2.3.1).
    pub client_auth: ClientAuth,
    /// The encoding of requests.
    pub body: Body,
}

impl TokenEndpoint {
    /// Posts a token request, once, and reads the access token from the member `token_field` of the response.
    pub(super) async fn request_tokens(
        &self,
        http: &Http,
        form: Form<'_>,
        token_field: &str,
    ) -> Result<Tokens, OAuthError> {
        let members = response::required(&self.url, self.post(http, &self.url, form).await?)?;
        Tokens::read(members, token_field).map_err(|(what, rest)| match rest {
            Some(tokens) => response::in_doubt(&self.url, 200, what, tokens),
            None => OAuthError::BadReply { host: self.url.host(), status: 200, what },
        })
    }

    /// Posts a form to an endpoint of this client's server, once. `None` is an empty response.
    pub(super) async fn post(
        &self,
        http: &Http,
        url: &Endpoint,
        form: Form<'_>,
    ) -> Result<Option<Map<String, Value>>, OAuthError> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, JSON)]);
        let mut sent = Vec::new();
        let form = match (&self.client_secret, self.client_auth) {
            (Some(secret), ClientAuth::Basic) => {
                let encoded = basic(&self.client_id, secret);
                let value = HeaderValue::from_str(&Zeroizing::new(format!("Basic {}", encoded.as_str())));
                let mut value = value.map_err(|error| OAuthError::Setup(error.to_string()))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
                sent.extend([encoded, Zeroizing::new(secret.expose().to_owned())]);
                form
            }
            (secret, _) => form
                .with_some("client_id", Some(self.client_id.as_str()).filter(|id| !id.is_empty()))
                .with_some("client_secret", secret.as_ref().map(Secret::expose)),
        };
        let (content_type, body) = match self.body {
            Body::Form => (FORM, form.urlencoded()),
            Body::Json => (JSON, form.json()),
        };
        headers.insert(CONTENT_TYPE, content_type);
        sent.extend(form.into_private_values());
        let response = http.post(url, headers, body).await?;
        response::read(url, &response, &sent)
    }
}

/// Encodes a client identifier and its secret for `Authorization: Basic`, each form-encoded first (RFC 6749 section
/// 2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Zeroizing<String> {
    // Large enough from the start: a buffer that grows leaves copies behind.
    let size = 3 * (client_id.len() + secret.expose().len()) + 1;
    let mut pair = Zeroizing::new(String::with_capacity(size));
    pair.extend(form_urlencoded::byte_serialize(client_id.as_bytes()));
    pair.push(':');
    pair.extend(form_urlencoded::byte_serialize(secret.expose().as_bytes()));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}
