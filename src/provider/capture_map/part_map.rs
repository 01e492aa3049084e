//! The compiled capture map of one file, used for reading and for writing.

use serde_json::Value;

use super::{
    entry::CaptureEntry,
    error::CaptureMapError,
    field_path::{Convert, FieldPath},
    file_path::FilePath,
    part::Part,
    pointer::{Pointer, segments},
};
use crate::{credential::Kind, redact::escape};

/// The place of one part in a file.
pub(crate) struct Field {
    pub(crate) part: Part,
    pub(crate) pointer: Pointer,
    pub(crate) convert: Option<Convert>,
    /// Path in a JWT's payload.
    pub(crate) claim: Vec<String>,
    pub(crate) required: bool,
}

/// All parts of one entry.
pub(crate) struct PartMap {
    pub(crate) kind: Kind,
    pub(crate) fields: Vec<Field>,
    /// Values that are written if the file does not have them.
    pub(crate) defaults: Vec<(Pointer, Value)>,
    /// The file's name, escaped for messages.
    pub(crate) file: String,
}

impl CaptureEntry {
    /// Checks that files can be read and written by this entry.
    ///
    /// # Errors
    /// The first rule that the entry breaks.
    pub fn check(&self) -> Result<(), CaptureMapError> {
        FilePath::parse(&self.file)?;
        PartMap::compile(self).map(drop)
    }

    /// The parts that the kind needs and the entry does not place.
    pub(crate) fn missing_parts(&self) -> Vec<String> {
        if self.kind == Kind::Fields && self.fields.extra.is_empty() {
            return vec!["extra".to_owned()];
        }
        let is_missing = |part: &&Part| !Part::all_in(&self.fields).any(|(placed, _)| placed == **part);
        Part::required_by(self.kind).iter().filter(is_missing).map(Part::to_string).collect()
    }
}

impl PartMap {
    /// Checks and parses the paths of an entry.
    pub(crate) fn compile(entry: &CaptureEntry) -> Result<Self, CaptureMapError> {
        let invalid = |problem: String| CaptureMapError::new(&entry.file, problem);
        let fields = Part::all_in(&entry.fields)
            .map(|(part, path)| {
                Field::compile(&part, path, entry.kind)
                    .map_err(|problem| invalid(format!("{part}: {problem}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(part) = entry.missing_parts().first() {
            return Err(invalid(format!("kind {} needs {part}", entry.kind)));
        }
        let defaults = entry.defaults.iter().map(|(path, value)| {
            let pointer = Pointer::parse(path).map_err(|problem| invalid(format!("defaults: {problem}")))?;
            Ok((pointer, value.clone()))
        });
        let defaults = defaults.collect::<Result<_, _>>()?;
        Ok(Self { kind: entry.kind, fields, defaults, file: escape(entry.file.as_bytes()) })
    }
}

impl Field {
    /// Checks and parses the place of a part.
    pub(crate) fn compile(part: &Part, path: &FieldPath, kind: Kind) -> Result<Self, &'static str> {
        if !part.belongs_to(kind) {
            return Err("not a part of a credential of this kind");
        }
        if !part.allows(path.convert) {
            return Err(match path.convert {
                Some(_) => "this part cannot have the conversion named by `as`",
                None => "this part needs a conversion (`as`)",
            });
        }
        let claim = match (&path.claim, path.convert) {
            (Some(claim), Some(Convert::JwtClaim)) => segments(claim)?,
            (None, Some(Convert::JwtClaim)) => return Err("`as: jwt_claim` needs `claim`"),
            (Some(_), _) => return Err("`claim` is allowed only with `as: jwt_claim`"),
            (None, _) => Vec::new(),
        };
        let pointer = Pointer::parse(&path.path)?;
        if path.convert == Some(Convert::Key) && !pointer.ends_in_star() {
            return Err("`as: key` needs a path that ends in `*`");
        }
        let required = !path.optional || Part::required_by(kind).contains(part);
        Ok(Self { part: part.clone(), pointer, convert: path.convert, claim, required })
    }

    /// Whether the value is only read: it comes from a token or a key that the vendor wrote.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self.convert, Some(Convert::JwtExp | Convert::JwtClaim | Convert::Key))
    }
}
