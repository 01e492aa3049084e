//! Fields as they were given, before it is known which ones the provider has.

use std::fmt;

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::fields::{FieldsError, short};
use crate::credential::Secret;

/// The values given for fields.
#[derive(Clone, Debug, Default)]
pub struct FieldInput {
    values: IndexMap<String, Value>,
    whole: bool,
}

/// A field's value.
#[derive(Clone, Debug)]
pub struct Value {
    /// The value.
    pub secret: Secret,
    /// It came by a way that other users of the machine can see.
    pub visible: bool,
}

impl FieldInput {
    /// Adds a value; a `visible` one came by a way that other users of the machine can see.
    ///
    /// # Errors
    /// [`FieldsError::Twice`]
    pub fn add(&mut self, field: &str, secret: Secret, visible: bool) -> Result<(), FieldsError> {
        match self.values.insert(field.to_owned(), Value { secret, visible }) {
            Some(_) => Err(FieldsError::Twice { field: short(field) }),
            None => Ok(()),
        }
    }

    /// All fields at once: a JSON object of texts. None of them is then asked for.
    ///
    /// # Errors
    /// [`FieldsError::NotAnObject`], [`FieldsError::NotText`], [`FieldsError::Twice`]
    pub fn from_json(text: &Secret) -> Result<Self, FieldsError> {
        let Members(members) = serde_json::from_str(text.expose())
            .map_err(|error| FieldsError::NotAnObject { line: error.line(), column: error.column() })?;
        let mut given = Self { whole: true, ..Self::default() };
        for (field, written) in members {
            let written = Zeroizing::new(String::from(Box::<str>::from(written)));
            let text: Option<String> = serde_json::from_str(&written).ok();
            let text = text.ok_or_else(|| FieldsError::NotText { field: short(&field) })?;
            given.add(&field, text.into(), false)?;
        }
        Ok(given)
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(field)
    }

    /// All values, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.values.iter()
    }

    /// They are all that there is: what is missing is not asked for.
    pub fn is_complete(&self) -> bool {
        self.whole
    }

    /// Nothing was given.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.whole
    }
}

/// The members of an object, in order, doubles and all.
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
    fn an_object_of_texts_is_taken_whole() {
        let given = FieldInput::from_json(&r#" {"b": "2", "a": "", "c": "\u00e9"} "#.into()).expect("given");
        let values: Vec<_> =
            given.iter().map(|(name, value)| (name.as_str(), value.secret.expose())).collect();
        assert_eq!(values, [("b", "2"), ("a", ""), ("c", "é")]);
        assert!(given.is_complete());
    }

    #[test]
    fn everything_else_is_refused_by_its_place_and_never_its_value() {
        for (text, says) in [
            ("", "line 1, column 0"),
            ("[\"CANARY\"]", "not one JSON object"),
            ("\"CANARY\"", "not one JSON object"),
            ("{\"a\": \"CANARY\"", "not one JSON object"),
            ("{\"a\": \"CANARY\"} x", "line 1, column 17"),
            ("{\"a\": \"1\", \"a\": \"CANARY\"}", "field \"a\" is given twice"),
            ("{\"a\": [\"CANARY\"]}", "field \"a\" is not a text"),
            ("{\"a\": null}", "field \"a\" is not a text"),
            ("{\"a\": 12}", "field \"a\" is not a text"),
        ] {
            let error = FieldInput::from_json(&text.into()).expect_err(text);
            assert!(error.to_string().contains(says), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        }
    }
}
