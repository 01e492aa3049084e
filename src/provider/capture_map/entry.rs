//! The entries of the capture map, as a descriptor writes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field_path::FieldPath;
use crate::credential::Kind;

/// A vendor file and the credential in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureEntry {
    /// Path of the file, relative to the login's directory.
    pub file: String,
    /// Format of the file.
    pub format: Format,
    /// Kind of the credential in it.
    pub kind: Kind,
    /// Place of each part of the credential.
    pub fields: FieldMap,
    /// Values that are written, by path, if the file does not have them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, Value>,
}

/// Format of a vendor file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 8259
    Json,
    /// YAML 1.2
    Yaml,
    /// TOML 1.0
    Toml,
    /// `NAME=value` lines
    Dotenv,
}

/// The place of each part of a credential. Required parts by kind: `key` for `api_key`; `access_token` for `oauth`;
/// `token` for `token`; `username` and `password` for `basic`; `extra` for `fields`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldMap {
    /// The API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<FieldPath>,
    /// The access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<FieldPath>,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<FieldPath>,
    /// The OpenID Connect ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<FieldPath>,
    /// The bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<FieldPath>,
    /// The user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<FieldPath>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<FieldPath>,
    /// Expiry of the API key, access token or bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<FieldPath>,
    /// Name of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<FieldPath>,
    /// The only host that the credential may be sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<FieldPath>,
    /// The granted scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<FieldPath>,
    /// Other values of the vendor that must survive a round trip; for kind `fields`, the fields themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, FieldPath>,
}
