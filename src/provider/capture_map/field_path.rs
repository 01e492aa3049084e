//! The place of one value in a vendor file.

use std::{fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// The place of one part: a JSON Pointer (RFC 6901), for every format, in which a segment `*` stands for a key that is
/// itself data, for example a host name. Written as a string, such as `/*/oauth_token`, or as a map with options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Place);

// The options of a place. A doc comment would become a part of the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Long")]
pub struct Place {
    /// JSON Pointer; `*` stands for a key that is itself data.
    pub path: String,
    /// Conversion between the value and the part.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<Convert>,
    /// JSON Pointer to the claim in the JWT's payload, for `jwt_claim`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Whether the credential is complete without this part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Deref for FieldPath {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.0
    }
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
    /// A list written as one string, separated by spaces (RFC 6749 section 3.3).
    SpaceSeparated,
    /// Any JSON value, kept as its JSON text. For `extra` values that are not strings.
    Json,
    /// The key itself that `*` stands for.
    Key,
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
                Ok(FieldPath(Place { path: path.to_owned(), ..Place::default() }))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldPath, A::Error> {
                Place::deserialize(MapAccessDeserializer::new(map)).map(FieldPath)
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
        self.0.serialize(serializer)
    }
}

impl JsonSchema for FieldPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldPath".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<Place>();
        schemars::json_schema!({"anyOf": [{"type": "string", "pattern": "^/"}, long]})
    }
}
