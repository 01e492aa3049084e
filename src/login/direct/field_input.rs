//! Given values of fields, before they are matched with the provider's fields.

use std::fmt;

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::error::{FieldsError, truncated};
use crate::credential::Secret;

/// The values given for fields, in order.
#[derive(Clone, Debug, Default)]
pub struct FieldInput {
    values: IndexMap<String, Value>,
    complete: bool,
}

/// The value of a field.
#[derive(Clone, Debug)]
pub struct Value {
    /// The value.
    pub secret: Secret,
    /// Whether other users of the machine could see it on its way here.
    pub visible: bool,
}

impl FieldInput {
    /// Adds a value; `visible` if other users of the machine could see it on its way here.
    ///
    /// # Errors
    /// [`FieldsError::Twice`]
    pub fn add(&mut self, field: &str, secret: Secret, visible: bool) -> Result<(), FieldsError> {
        match self.values.insert(field.to_owned(), Value { secret, visible }) {
            Some(_) => Err(FieldsError::Twice { field: truncated(field) }),
            None => Ok(()),
        }
    }

    /// Reads all fields from a JSON object of strings. Missing ones are then not asked for.
    ///
    /// # Errors
    /// [`FieldsError::NotAnObject`], [`FieldsError::NotText`], [`FieldsError::Twice`]
    pub fn from_json(text: &Secret) -> Result<Self, FieldsError> {
        let Members(members) = serde_json::from_str(text.expose())
            .map_err(|error| FieldsError::NotAnObject { line: error.line(), column: error.column() })?;
        let mut input = Self { complete: true, ..Self::default() };
        for (field, json) in members {
            let json = Zeroizing::new(String::from(Box::<str>::from(json)));
            let text: Option<String> = serde_json::from_str(&json).ok();
            let text = text.ok_or_else(|| FieldsError::NotText { field: truncated(&field) })?;
            input.add(&field, text.into(), false)?;
        }
        Ok(input)
    }

    /// Returns the value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field)
    }

    /// Iterates over the values in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.values.iter()
    }

    /// Whether no further values may be asked for.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.complete
    }
}

/// The members of an object in order, with duplicates.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_object_of_strings_gives_all_fields() {
        let input = FieldInput::from_json(&r#" {"b": "2", "a": "", "c": "\u00e9"} "#.into()).expect("fields");
        let values: Vec<_> =
            input.iter().map(|(name, value)| (name.as_str(), value.secret.expose())).collect();
        assert_eq!(values, [("b", "2"), ("a", ""), ("c", "é")]);
        assert!(input.is_complete());
    }

    #[test]
    fn other_json_is_refused_with_its_place_and_never_its_value() {
        for (text, says) in [
            ("", "line 1, column 0"),
            ("[\"CANARY\"]", "not one JSON object"),
            ("\"CANARY\"", "not one JSON object"),
            ("{\"a\": \"CANARY\"", "not one JSON object"),
            ("{\"a\": \"CANARY\"} x", "line 1, column 17"),
            ("{\"a\": \"1\", \"a\": \"CANARY\"}", "field \"a\" is given twice"),
            ("{\"a\": [\"CANARY\"]}", "field \"a\" is not a string"),
            ("{\"a\": null}", "field \"a\" is not a string"),
            ("{\"a\": 12}", "field \"a\" is not a string"),
        ] {
            let error = FieldInput::from_json(&text.into()).expect_err(text);
            assert!(error.to_string().contains(says), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        }
    }
}
