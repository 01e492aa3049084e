//! The capture map: where a vendor's file holds each part of a credential.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::credential::Kind;

/// One vendor file and the credential in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureEntry {
    /// The file, relative to the login's directory.
    pub file: String,
    /// Its format.
    pub format: Format,
    /// The kind of credential that it holds.
    pub kind: Kind,
    /// Where each part is.
    pub fields: FieldMap,
    /// Values put in, by path, when we write the file and they are absent.
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

/// Where each part of a credential is. Which of them a kind needs: `key` for `api_key`; `access_token` for `oauth`;
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
    /// The identity token.
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
    /// When the usable secret stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<FieldPath>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<FieldPath>,
    /// The host that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<FieldPath>,
    /// The scopes granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<FieldPath>,
    /// The vendor's own values that must survive a round trip; for kind `fields`, the fields themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, FieldPath>,
}

/// Where one part is: a JSON Pointer (RFC 6901) that works in every format, in which a segment `*` stands for a
/// key that is itself data (a host name, say). Written as a text, or as a map when more is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The pointer, for example `/tokens/access_token` or `/*/oauth_token`.
    pub path: String,
    /// The conversion, if the value there is not the part itself.
    pub convert: Option<Convert>,
    /// For `jwt_claim`: pointer to the claim in the token's payload.
    pub claim: Option<String>,
    /// The credential is complete without it.
    pub optional: bool,
}

/// A conversion between the vendor's value and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
    /// RFC 3339 date and time.
    Rfc3339,
    /// The `exp` claim of the JWT at the path. Only read.
    JwtExp,
    /// The claim named by `claim` of the JWT at the path. Only read.
    JwtClaim,
    /// A list written as one text with spaces (RFC 6749 section 3.3).
    SpaceSeparated,
    /// Any JSON value, kept as its text. For `extra` values that are not texts.
    Json,
    /// The key itself that `*` stands for.
    Key,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {
    /// JSON Pointer; `*` stands for a key that is itself data.
    path: String,
    /// Conversion.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    convert: Option<Convert>,
    /// Pointer into the payload of the JWT, for `jwt_claim`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    /// The credential is complete without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
}

impl FieldPath {
    fn short(path: String) -> Self {
        Self { path, convert: None, claim: None, optional: false }
    }
}

impl From<Long> for FieldPath {
    fn from(long: Long) -> Self {
        Self { path: long.path, convert: long.convert, claim: long.claim, optional: long.optional }
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathVisitor;
        impl<'de> Visitor<'de> for PathVisitor {
            type Value = FieldPath;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path such as /tokens/access_token, or a map with `path`")
            }
            fn visit_str<E>(self, path: &str) -> Result<FieldPath, E> {
                Ok(FieldPath::short(path.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldPath, A::Error> {
                Long::deserialize(MapAccessDeserializer::new(map)).map(FieldPath::from)
            }
        }
        deserializer.deserialize_any(PathVisitor)
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.convert.is_none() && self.claim.is_none() && !self.optional {
            return serializer.serialize_str(&self.path);
        }
        Long {
            path: self.path.clone(),
            convert: self.convert,
            claim: self.claim.clone(),
            optional: self.optional,
        }
        .serialize(serializer)
    }
}

impl JsonSchema for FieldPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldPath".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<Long>();
        schemars::json_schema!({"anyOf": [{"type": "string", "pattern": "^/"}, long]})
    }
}
