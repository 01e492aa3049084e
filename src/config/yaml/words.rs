//! The errors of the parser and of the deserializer, in words for the author of the file.

use serde_yaml::Error;

use super::Problem;
use crate::config::suggest::nearest;

/// The message where a mapping is expected.
pub(super) const MAPPING_EXPECTED: &str = "a mapping (`name: value`) belongs here";

/// Turns the parser's error into a problem of the file.
pub(super) fn problem(file: &str, error: &Error) -> Problem {
    let error = error.without_snippet();
    let at = error.location().map(|l| (l.line(), l.column()));
    Problem { file: file.to_owned(), at, message: parser_error(error) }
}

/// The parser's own messages name its options, types and functions.
fn parser_error(error: &Error) -> String {
    let fixed = match error {
        Error::AliasError { error, .. } => return parser_error(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            return format!("the key {key:?} is given twice");
        }
        Error::NonFiniteFloat { value, .. } => return format!("{value} is too large for a number"),
        Error::UnsupportedTag { tag, .. } => return format!("the tag {tag:?} is not supported"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is given twice",
        Error::Budget { .. } => "the file is larger or deeper than any configuration",
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => "the aliases expand to more than any configuration",
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias is inside the value that it stands for"
        }
        Error::UnknownAnchor { .. } => "an alias has no anchor before it",
        Error::MultipleDocuments { .. } => "a second document begins here: a file has one",
        Error::Eof { .. } => "the file ends too early",
        Error::MergeValueNotMapOrSeqOfMaps { .. } => "the value of a merge key `<<` must be a mapping",
        Error::Unexpected { expected: "string scalar", .. } => "a key must be text",
        Error::NullIntoString { .. } => "a key must be text, not null",
        Error::Unexpected { expected: "mapping start", .. } => MAPPING_EXPECTED,
        Error::Unexpected { expected: "sequence start", .. } => "a list belongs here",
        Error::Unexpected { .. } => "a value of another type belongs here",
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            "the value tagged !!binary is not base64 of UTF-8"
        }
        Error::TaggedScalarCannotDeserializeIntoString { .. } => "a value with this tag is not text",
        _ => {
            let text = error.to_string();
            return text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        }
    };
    fixed.to_owned()
}

/// Rewrites the deserializer's message about a wrong type or an unknown name. An unknown name that is near to
/// a known one gets "did you mean", any other the list of known names.
pub(super) fn explain(message: &str) -> String {
    let Some((found, list)) = message.split_once(", expected ") else { return message.replace('`', "\"") };
    if !list.contains('`') {
        return format!("{}, expected {}", found_type(found), expected_type(list));
    }
    let Some(wrong) = found.split('`').nth(1) else { return message.to_owned() };
    let known: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let found = found.replace('`', "\"").replace("unknown variant", "unknown value");
    match nearest(wrong, known.iter().copied()) {
        Some(near) => format!("{found} (did you mean \"{near}\"?)"),
        None => format!("{found} (known: {})", known.join(", ")),
    }
}

/// The type that was found, in YAML's words instead of serde's.
fn found_type(found: &str) -> String {
    match found.rsplit_once("invalid type: ") {
        Some((_, "map")) => "invalid type: a mapping".to_owned(),
        Some((_, "sequence")) => "invalid type: a list".to_owned(),
        _ => found.replace('`', "\""),
    }
}

/// The type that was expected, in YAML's words instead of Rust's.
fn expected_type(expected: &str) -> &str {
    match expected {
        "a map" => "a mapping (`name: value`)",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "u16" => "a number from 0 to 65535",
        "u8" | "u32" | "u64" | "usize" => "a whole number, not negative",
        _ if expected.starts_with("struct ") => "a mapping (`name: value`)",
        _ if expected.starts_with("enum ") => "a text",
        _ => expected,
    }
}
