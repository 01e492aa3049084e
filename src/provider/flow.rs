//! The settings of an OAuth flow in a descriptor: the authorization server, the client, and the vendor's
//! deviations.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{descriptor::Body, one_or_many::OneOrMany};

/// Settings of an OAuth flow: of the block `device`, `browser`, `client_credentials` or `token_exchange`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// URL of an authorization server that publishes its endpoints (RFC 8414, OpenID Connect Discovery). An
    /// endpoint that is set here is not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For `device`: device authorization endpoint. Default: that of `issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_url: Option<String>,
    /// For `browser`: authorization endpoint. Default: that of `issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Token endpoint. Default: that of `issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// Client id, or `env:NAME` for the variable that contains it. If the vendor has no client for everybody,
    /// users set theirs in an override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Place of the client's secret, never the secret itself: `env:NAME` or `file:PATH`. Default: a public
    /// client, without a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// How the client's secret is sent (RFC 6749 section 2.3.1). Default: `basic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_auth: Option<ClientAuth>,
    /// Encoding of the token request. Default: `form`, which RFC 6749 requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Scopes to request, one an item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Additional parameters of the first request, such as `audience`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// For `device` and `browser`: additional parameters of the token request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub token_parameters: BTreeMap<String, String>,

    /// For `browser`: host in the redirect URI. Default: `127.0.0.1`. For `localhost`, `authenticate` listens
    /// at `127.0.0.1` and `::1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_host: Option<RedirectHost>,
    /// For `browser`: port in the redirect URI. Default: any free port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_port: Option<u16>,
    /// For `browser`: path in the redirect URI. Default: `/callback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_path: Option<String>,
    /// For `browser`: name of the parameter with the redirect URI. Default: `redirect_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_parameter: Option<String>,
    /// For `browser`: place of the `state` value, which binds the redirect to this login. Default: `query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StatePlace>,
    /// For `browser`: member of the token response that is an API key. The key is stored, and no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_field: Option<String>,

    /// For `token_exchange`: place of the token to exchange, never the token itself: `env:NAME`, `file:PATH`
    /// or `credential:PROVIDER[:PROFILE]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<String>,
    /// For `token_exchange`: type of that token (RFC 8693 section 3), a URI or one of `access_token`,
    /// `refresh_token`, `id_token`, `jwt`, `saml1`, `saml2`. Default: `access_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token_type: Option<String>,
    /// For `token_exchange`: type of the token to request. Default: the server's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
}

/// How a client's secret is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClientAuthMethod")]
pub enum ClientAuth {
    /// In the header `Authorization: Basic`.
    #[default]
    Basic,
    /// In the parameter `client_secret`.
    Body,
}

/// The host in a loopback redirect URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RedirectHost {
    /// The address, which RFC 8252 section 8.3 recommends.
    #[default]
    #[serde(rename = "127.0.0.1")]
    Address,
    /// The name, for vendors that allow nothing else.
    #[serde(rename = "localhost")]
    Name,
}

impl RedirectHost {
    /// The host as it is written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Name => "localhost",
        }
    }
}

/// The place of the `state` value, which binds a redirect to its login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatePlace {
    /// The parameter `state` (RFC 6749 section 4.1.1).
    #[default]
    Query,
    /// The last segment of the redirect URI's path, for vendors that do not return `state`.
    Path,
}

/// The place of the account's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// Claims of the ID token. The first one that is there is used. Default: `email`, `preferred_username`.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub claim: OneOrMany,
    /// Members of the token response, or of the response of `url`. The first one that is there is used.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub field: OneOrMany,
    /// Endpoint that is sent the access token and responds with JSON about its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Flow {
    /// The fields that are set and belong to one block only, with the name of that block.
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

/// The full URI of a token type (RFC 8693 section 3).
pub fn token_type(name: &str) -> String {
    match name.contains(':') {
        true => name.to_owned(),
        false => format!("urn:ietf:params:oauth:token-type:{name}"),
    }
}
