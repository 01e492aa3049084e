//! How a credential is refreshed, and where a token is revoked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a credential is refreshed before it expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The method.
    pub strategy: RefreshStrategy,
    /// For `oauth`: token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// For `oauth`: client id, or `env:NAME` for the variable that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// For `oauth`: encoding of the request. Default: `form`, which RFC 6749 requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// For `oauth`: additional parameters of the request, such as `scope`. A login through an OAuth flow needs none: its
    /// own are stored with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// For `command`: a command of the vendor's CLI that refreshes its login when it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// A method of refreshing a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshStrategy {
    /// The credential is not refreshed.
    None,
    /// `authenticate` sends the refresh token to the token endpoint (RFC 6749 section 6).
    Oauth,
    /// The vendor's own CLI refreshes its login, in a throwaway container.
    Command,
}

/// The encoding of a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Where a token is revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Revocation endpoint.
    pub url: String,
    /// Client id, or `env:NAME` for the variable that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Encoding of the request. Default: `form`, which RFC 7009 requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}
