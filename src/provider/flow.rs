//! What a descriptor says about the native logins: which authorization server, as which client, in which dialect.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{descriptor::Body, one_or_many::OneOrMany};

/// One native way to log in: one of the blocks `device`, `browser`, `client_credentials`, `token_exchange`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// The authorization server, whose endpoints are looked up (RFC 8414, OpenID Connect Discovery). An endpoint that is
    /// given here is not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Device authorization endpoint, for `device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_url: Option<String>,
    /// Authorization endpoint, for `browser`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// The client: its id, or `env:NAME`. The user's own descriptor sets it where the vendor has no public one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Where the client's secret is: `env:NAME` or `file:PATH`. Default: a public client, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// How the client's secret is sent (RFC 6749 section 2.3.1). Default: `basic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_auth: Option<ClientAuthMethod>,
    /// Form of the token request. Default: `form`, as RFC 6749 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Scopes asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// More parameters of the first request, for example `audience`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// More parameters of the token request, where that is the second one (`device`, `browser`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub token_parameters: BTreeMap<String, String>,

    /// Host that the browser comes back to, for `browser`: `127.0.0.1` or `localhost`. Default: `127.0.0.1`. We listen on
    /// 127.0.0.1 in both cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_host: Option<RedirectHost>,
    /// Port that the browser comes back to, for `browser`. Default: a free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_port: Option<u16>,
    /// Path that the browser comes back to, for `browser`. Default: `/callback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_path: Option<String>,
    /// Name of the parameter that says where the browser comes back to, for `browser`. Default: `redirect_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_parameter: Option<String>,
    /// Where the value is that binds the redirect to this login, for `browser`. Default: `query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StatePlace>,
    /// The member of the token reply that is an API key, for `browser`: what is stored is that key, and no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_field: Option<String>,

    /// Where the token is that is exchanged, for `token_exchange`: `env:NAME`, `file:PATH` or
    /// `credential:PROVIDER[:PROFILE]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<String>,
    /// Its kind (RFC 8693 section 3): a URI, or short `access_token`, `refresh_token`, `id_token`, `jwt`, `saml1`, `saml2`.
    /// Default: `access_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token_type: Option<String>,
    /// The kind that is asked for. Default: the server's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
}

/// How a client's secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// `Authorization: Basic`
    Basic,
    /// Among the parameters, as `client_secret`.
    Body,
}

/// The host of a loopback redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RedirectHost {
    /// As RFC 8252 section 8.3 recommends.
    #[default]
    #[serde(rename = "127.0.0.1")]
    Address,
    /// For vendors that allow nothing else.
    #[serde(rename = "localhost")]
    Name,
}

impl RedirectHost {
    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Name => "localhost",
        }
    }
}

/// Where the value is that binds a redirect to its login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatePlace {
    /// The parameter `state` (RFC 6749 section 4.1.1).
    #[default]
    Query,
    /// The last segment of the redirect's path, for vendors that do not give `state` back.
    Path,
}

/// Where a login's account name is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// Claims of the identity token; the first that is there wins. Default: `email`, `preferred_username`.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub claim: OneOrMany,
    /// Members of the token reply, or of what `url` gives; the first that is there wins.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub field: OneOrMany,
    /// Where the vendor says whose an access token is: asked with it, and answers with JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Flow {
    /// The fields that are given and mean something only for one block, with that block.
    pub(super) fn special(&self) -> Vec<(&'static str, &'static str)> {
        let given = [
            (self.device_authorization_url.is_some(), "device_authorization_url", "device"),
            (self.authorization_url.is_some(), "authorization_url", "browser"),
            (self.redirect_host.is_some(), "redirect_host", "browser"),
            (self.redirect_port.is_some(), "redirect_port", "browser"),
            (self.redirect_path.is_some(), "redirect_path", "browser"),
            (self.redirect_parameter.is_some(), "redirect_parameter", "browser"),
            (self.state.is_some(), "state", "browser"),
            (self.api_key_field.is_some(), "api_key_field", "browser"),
            (self.subject_token.is_some(), "subject_token", "token_exchange"),
            (self.subject_token_type.is_some(), "subject_token_type", "token_exchange"),
            (self.requested_token_type.is_some(), "requested_token_type", "token_exchange"),
        ];
        given.into_iter().filter(|(given, ..)| *given).map(|(_, field, block)| (field, block)).collect()
    }
}

/// The whole name of a kind of token (RFC 8693 section 3).
pub fn token_type(name: &str) -> String {
    match name.contains(':') {
        true => name.to_owned(),
        false => format!("urn:ietf:params:oauth:token-type:{name}"),
    }
}
