//! What the parser objects to, in words for whoever wrote the file.

use serde_yaml::Error;

use super::Problem;

/// The parser's error as a problem of the file.
pub(super) fn problem(file: &str, error: &Error) -> Problem {
    let error = error.without_snippet();
    let at = error.location().map(|l| (l.line(), l.column()));
    Problem { file: file.to_owned(), at, message: words(error) }
}

/// The parser speaks to programmers: of its options, its types and its functions.
fn words(error: &Error) -> String {
    let fixed = match error {
        Error::AliasError { error, .. } => return words(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => return format!("{key:?} is there twice"),
        Error::NonFiniteFloat { value, .. } => return format!("{value} is not a number that can be used"),
        Error::UnsupportedTag { tag, .. } => return format!("the tag {tag:?} is not used here"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is there twice",
        Error::Budget { .. } => "it is larger or deeper than any configuration",
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "what its aliases stand for is larger than any configuration"
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => "an alias stands for something that it is in",
        Error::UnknownAnchor { .. } => "an alias stands for nothing: there is no such anchor before it",
        Error::MultipleDocuments { .. } => "a second document begins here: a file has one",
        Error::Eof { .. } => "it ends too early",
        Error::MergeValueNotMapOrSeqOfMaps { .. } => "what is merged with `<<` is not a mapping",
        Error::Unexpected { expected: "string scalar", .. } => "a key must be text",
        Error::NullIntoString { .. } => "a key must be text, not null",
        Error::Unexpected { expected: "mapping start", .. } => "a mapping (`name: value`) belongs here",
        Error::Unexpected { expected: "sequence start", .. } => "a list belongs here",
        Error::Unexpected { .. } => "something else belongs here",
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            "what is marked as !!binary is not text"
        }
        Error::TaggedScalarCannotDeserializeIntoString { .. } => "what has this tag is not text",
        _ => {
            let text = error.to_string();
            return text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        }
    };
    fixed.to_owned()
}
