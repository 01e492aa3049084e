//! The place of one value in a vendor file.

use std::{fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// The place of one part: a JSON Pointer (RFC 6901), for every format, in which a segment `*` stands for a key that is
/// itself data, for example a host name. Written as a string, such as `/*/oauth_token`, as a map with options, or as a
/// list of such places: the first one with a usable value is read, and the first one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Vec<Place>);

/// A place with its options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Long")]
pub struct Place {
    /// JSON Pointer; `*` stands for a key that is itself data.
    pub path: String,
    /// Another file in the same directory, for parts that are no secret. Only read. Its format is that of its extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Conversion between the value and the part.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<Convert>,
    /// JSON Pointer to the claim in the JWT's payload, for `jwt_claim`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Regular expression whose first group is the part. Only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether the credential is complete without this part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Place {
    fn at(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }
}

impl Deref for FieldPath {
    type Target = [Place];
    fn deref(&self) -> &[Place] {
        &self.0
    }
}

/// A conversion between the vendor's value and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// Seconds since 1970. Milliseconds and RFC 3339 are read, too.
    UnixSeconds,
    /// Milliseconds since 1970. Seconds and RFC 3339 are read, too.
    UnixMillis,
    /// RFC 3339 date and time. Seconds and milliseconds are read, too.
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
                f.write_str("a path such as /tokens/access_token, a map with `path`, or a list of them")
            }
            fn visit_str<E>(self, path: &str) -> Result<FieldPath, E> {
                Ok(FieldPath(vec![Place::at(path)]))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldPath, A::Error> {
                Place::deserialize(MapAccessDeserializer::new(map)).map(|place| FieldPath(vec![place]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<FieldPath, A::Error> {
                let places = Vec::<FieldPath>::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(FieldPath(places.into_iter().flat_map(|place| place.0).collect()))
            }
        }
        deserializer.deserialize_any(PathVisitor)
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [place] if *place == Place::at(&place.path) => serializer.serialize_str(&place.path),
            [place] => place.serialize(serializer),
            places => serializer.collect_seq(places),
        }
    }
}

impl JsonSchema for FieldPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldPath".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<Place>();
        let one = schemars::json_schema!({"anyOf": [{"type": "string", "pattern": "^/"}, long]});
        schemars::json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}
