//! The entries of the capture map, as a descriptor writes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field_path::FieldPath;
use crate::credential::Kind;

/// A vendor file and the credential in it. The first entry that finds a credential counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureEntry {
    /// Path of the file, relative to the login's directory.
    pub file: String,
    /// Format of the file.
    pub format: Format,
    /// Kind of the credential in it.
    pub kind: Kind,
    /// Values that the file must have, by path: a value, or a list of the allowed ones. `null` is for none, and `"*"`
    /// for any. The first one is written with the credential.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Value>,
    /// Why such a credential cannot be taken. The entry then needs no `fields`: this is the error where `when` is true
    /// or, without `when`, where the file exists, unless an entry above has found something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// The provider that the credential is for, if it is another one; `"*"` if the key in the place of `*` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Place of each part of the credential.
    #[serde(default)]
    pub fields: FieldMap,
    /// Where the file tells which of several logins its tool uses.
    #[serde(default, skip_serializing_if = "Active::is_empty")]
    pub active: Active,
    /// Path of the map that is all this credential's, `""` for the whole file. Values in it that `fields` does not
    /// name are kept with the credential and written back. For the kind `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
    /// Values that are written, by path, if the file does not have them. They are not required when it is read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, Value>,
}

/// The account and the host that the tool uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Active {
    /// Path of the account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Path of the host; or a host that is preferred if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Active {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
    /// The plan or subscription of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<FieldPath>,
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
