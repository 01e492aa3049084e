//! Errors of named fields.

use crate::redact::quote;

/// An error of named fields. It names the field, never its value.
#[derive(Debug, thiserror::Error)]
pub enum FieldsError {
    /// A field that the provider does not have.
    #[error("{provider} has no field {}; it has {}", quote(.field), .has.join(", "))]
    Unknown {
        /// The provider.
        provider: String,
        /// The given name, truncated.
        field: String,
        /// The fields that it has.
        has: Vec<String>,
    },
    /// A field that was given more than once.
    #[error("field {} is given twice", quote(.field))]
    Twice {
        /// The field, truncated.
        field: String,
    },
    /// Fields that were neither given nor can be asked for.
    #[error("missing fields of {provider}: {}", .fields.join(", "))]
    Missing {
        /// The provider.
        provider: String,
        /// The fields.
        fields: Vec<String>,
    },
    /// A member of the JSON object that is not a string.
    #[error("field {} is not a string", quote(.field))]
    NotText {
        /// The field, truncated.
        field: String,
    },
    /// Text that is not one JSON object.
    #[error("the fields are not one JSON object whose members are strings (line {line}, column {column})")]
    NotAnObject {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// An invalid value.
    #[error("field {field} is refused: {problem}")]
    Bad {
        /// The field.
        field: String,
        /// The problem, without the value.
        problem: String,
    },
    /// A secret value that was given where other users can see it.
    #[error(
        "field {field} is secret, and other users of this machine could see it in the arguments; nothing was stored"
    )]
    Visible {
        /// The field.
        field: String,
    },
    /// No value in any field.
    #[error("every field of {provider} is blank: there is nothing to store")]
    AllBlank {
        /// The provider.
        provider: String,
    },
}

/// Truncates a name from outside: it may be a secret, given by mistake.
pub(super) fn truncated(name: &str) -> String {
    name.chars().take(32).collect()
}
