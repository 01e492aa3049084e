//! The compiled capture map of one file, used for reading and for writing.

use regex_lite::Regex;
use serde_json::Value;

use super::{
    entry::CaptureEntry,
    error::CaptureMapError,
    field_path::{Convert, FieldPath, Place},
    file_path::FilePath,
    part::Part,
    pointer::{Pointer, STAR, look_up, segments},
};
use crate::{credential::Kind, provider::pattern, redact::escape};

/// The places of one part, the first one first.
pub(crate) struct Field {
    pub(crate) part: Part,
    pub(crate) places: Vec<FieldPlace>,
    pub(crate) required: bool,
}

/// A place of a part.
pub(crate) struct FieldPlace {
    pub(crate) pointer: Pointer,
    /// Another file than the entry's.
    pub(crate) file: Option<String>,
    pub(crate) convert: Option<Convert>,
    /// Path in a JWT's payload.
    pub(crate) claim: Vec<String>,
    pub(crate) pattern: Option<Regex>,
}

/// A condition on the value at a path.
pub(crate) struct Condition {
    pub(crate) pointer: Pointer,
    allowed: Vec<Value>,
}

/// All parts of one entry.
pub(crate) struct PartMap {
    pub(crate) kind: Kind,
    pub(crate) fields: Vec<Field>,
    pub(crate) when: Vec<Condition>,
    /// The other provider that the credential is for; `*` if the last key names it.
    pub(crate) provider: Option<String>,
    /// The paths of the values that the parts of the active login have.
    pub(crate) active: Vec<(Part, Pointer)>,
    pub(crate) preferred_host: Option<String>,
    pub(crate) keep: Option<Pointer>,
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
        PartMap::compile(self).map(drop)
    }

    /// The files that the entry reads: its own, and others that fields are read from.
    pub(crate) fn files(&self) -> Vec<String> {
        let fields = PartMap::compile(self).map(|map| map.fields).unwrap_or_default();
        let others = fields.into_iter().flat_map(|field| field.places).filter_map(|place| place.file);
        others.chain([self.file.clone()]).collect()
    }

    /// Whether the entry places credentials of that kind that are the provider's own.
    pub(crate) fn holds_own(&self, kind: Kind) -> bool {
        self.kind == kind && self.unsupported.is_none() && self.provider.is_none()
    }

    /// The parts that the kind needs and the entry does not place.
    fn missing_parts(&self) -> Vec<String> {
        if self.unsupported.is_some() {
            return Vec::new();
        }
        if self.kind == Kind::Fields && self.fields.extra.is_empty() {
            return vec!["extra".to_owned()];
        }
        let is_missing = |part: &&Part| !Part::all_in(&self.fields).any(|(placed, _)| placed == **part);
        Part::required_by(self.kind).iter().filter(is_missing).map(Part::to_string).collect()
    }
}

impl PartMap {
    /// Checks and parses an entry.
    pub(crate) fn compile(entry: &CaptureEntry) -> Result<Self, CaptureMapError> {
        let mut first = None;
        let map = Self::compile_all(entry, |place, problem| {
            first.get_or_insert_with(|| CaptureMapError::new(&entry.file, format!("{place}: {problem}")));
        });
        first.map_or(Ok(map), Err)
    }

    /// Checks and parses an entry, and tells each rule that it breaks, with its place.
    pub(crate) fn compile_all(entry: &CaptureEntry, mut tell: impl FnMut(&str, String)) -> Self {
        if let Err(error) = FilePath::parse(&entry.file) {
            tell("file", error.problem);
        }
        for part in entry.missing_parts() {
            tell("fields", format!("kind {} needs `{part}`", entry.kind));
        }
        let mut fields = Vec::new();
        for (part, path) in Part::all_in(&entry.fields) {
            match Field::compile(&part, path, entry.kind) {
                Ok(field) => fields.push(field),
                Err(problem) => tell(&format!("fields.{part}"), problem),
            }
        }
        let mut pointer = |place: &str, parsed: Result<Pointer, &str>| {
            parsed.map_err(|problem| tell(place, problem.to_owned())).ok()
        };
        let paths = |(path, value): (&String, &Value)| (Pointer::parse(path), value.clone());
        let when = entry.when.iter().map(paths).collect::<Vec<_>>().into_iter();
        let when = when.filter_map(|(parsed, value)| Some(Condition::new(pointer("when", parsed)?, value)));
        let when: Vec<_> = when.collect();
        let defaults = entry.defaults.iter().map(paths);
        let defaults = defaults.filter_map(|(parsed, value)| Some((pointer("defaults", parsed)?, value)));
        let defaults: Vec<_> = defaults.collect();
        let preferred_host = entry.active.host.clone().filter(|host| !host.starts_with('/'));
        let host = entry.active.host.as_ref().filter(|_| preferred_host.is_none());
        let active = [(Part::Account, entry.active.account.as_ref()), (Part::Host, host)];
        let active = active
            .into_iter()
            .filter_map(|(part, path)| Some((part, pointer("active", Pointer::parse(path?))?)));
        let active: Vec<_> = active.collect();
        let keep = entry.keep.as_ref().and_then(|path| pointer("keep", Pointer::parse_map(path)));
        if keep.is_some() && entry.kind != Kind::Oauth {
            tell("keep", "needs the kind oauth".to_owned());
        }
        if entry.when.keys().any(|path| entry.defaults.contains_key(path)) {
            tell("defaults", "a path is also in `when`, which is written, too".to_owned());
        }
        let (provider, file) = (entry.provider.clone(), escape(entry.file.as_bytes()));
        let kind = entry.kind;
        let map = Self { kind, fields, when, provider, active, preferred_host, keep, defaults, file };
        if map.stars() == 0 && (map.provider.as_deref() == Some(STAR) || !map.active.is_empty()) {
            tell("fields", "no path has a `*`, which `active` and `provider: \"*\"` need".to_owned());
        }
        if entry.unsupported.is_none() && map.pointers().any(|pointer| pointer.stars() > map.stars()) {
            tell("fields", "another path has more `*` than these".to_owned());
        }
        map
    }

    /// The number of keys that tell a login from others in the same file.
    pub(crate) fn stars(&self) -> usize {
        self.own_places().map(|place| place.pointer.stars()).max().unwrap_or_default()
    }

    /// The places in the entry's own file.
    pub(crate) fn own_places(&self) -> impl Iterator<Item = &FieldPlace> {
        self.fields.iter().flat_map(|field| &field.places).filter(|place| place.file.is_none())
    }

    /// The pointers beside the fields.
    fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        let when = self.when.iter().map(|condition| &condition.pointer);
        let active = self.active.iter().map(|(_, pointer)| pointer);
        when.chain(active).chain(&self.keep).chain(self.defaults.iter().map(|(pointer, _)| pointer))
    }
}

impl Condition {
    fn new(pointer: Pointer, value: Value) -> Self {
        let allowed = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        Self { pointer, allowed }
    }

    /// Whether the document has an allowed value.
    pub(crate) fn is_true(&self, view: &Value, keys: &[String]) -> bool {
        let path = self.pointer.with(keys);
        let value = path.and_then(|path| look_up(view, &path)).filter(|value| !value.is_null());
        self.allowed.iter().any(|allowed| match allowed {
            Value::Null => value.is_none(),
            Value::String(any) if any == STAR => value.is_some(),
            one => value == Some(one),
        })
    }

    /// The value to write in place of this one; `None` if it may stay.
    pub(crate) fn replacement(&self, existing: Option<&Value>) -> Option<&Value> {
        let first = self.allowed.first().filter(|value| !value.is_null() && *value != STAR)?;
        (!self.allowed.iter().any(|allowed| existing == Some(allowed))).then_some(first)
    }
}

impl Field {
    /// Checks and parses the places of a part.
    fn compile(part: &Part, path: &FieldPath, kind: Kind) -> Result<Self, String> {
        if !part.belongs_to(kind) {
            return Err("not a part of a credential of this kind".to_owned());
        }
        let places: Vec<_> = path.iter().map(|place| place.compile(part)).collect::<Result<_, _>>()?;
        let is_needed = Part::required_by(kind).contains(part);
        if places.is_empty() {
            return Err("the list of places is empty".to_owned());
        }
        Ok(Self {
            part: part.clone(),
            places,
            required: is_needed || !path.iter().any(|place| place.optional),
        })
    }

    /// The place where the part is written. `None` if it is only read.
    pub(crate) fn written(&self) -> Option<&FieldPlace> {
        self.places.iter().find(|place| !place.is_read_only())
    }

    /// The place of the part that is a key itself.
    pub(crate) fn key(&self) -> Option<&FieldPlace> {
        self.places.iter().find(|place| place.convert == Some(Convert::Key) && place.pattern.is_none())
    }
}

impl Place {
    fn compile(&self, part: &Part) -> Result<FieldPlace, String> {
        if !part.allows(self.convert) {
            return Err(match self.convert {
                Some(_) => "this part cannot have the conversion named by `as`",
                None => "this part needs a conversion (`as`)",
            }
            .to_owned());
        }
        let claim = match (&self.claim, self.convert) {
            (Some(claim), Some(Convert::JwtClaim)) => segments(claim)?,
            (None, Some(Convert::JwtClaim)) => return Err("`as: jwt_claim` needs `claim`".to_owned()),
            (Some(_), _) => return Err("`claim` is allowed only with `as: jwt_claim`".to_owned()),
            (None, _) => Vec::new(),
        };
        let pointer = Pointer::parse(&self.path)?;
        if self.convert == Some(Convert::Key) && !pointer.ends_in_star() {
            return Err("`as: key` needs a path that ends in `*`".to_owned());
        }
        if let Some(file) = &self.file {
            FilePath::parse(file).map_err(|error| error.problem)?;
            if part.is_secret() {
                return Err("a secret cannot be in another file than the entry's".to_owned());
            }
        }
        let compiled = self.pattern.as_deref().map(pattern::compile).transpose()?;
        if compiled.as_ref().is_some_and(|pattern| pattern.captures_len() < 2 || *part == Part::Scopes) {
            return Err("`pattern` needs a group, and a part that is a text".to_owned());
        }
        Ok(FieldPlace { pointer, file: self.file.clone(), convert: self.convert, claim, pattern: compiled })
    }
}

impl FieldPlace {
    /// Whether the value is only read: it comes from another file, or from a token or a key that the vendor wrote.
    pub(crate) fn is_read_only(&self) -> bool {
        let is_derived = matches!(self.convert, Some(Convert::JwtExp | Convert::JwtClaim | Convert::Key));
        is_derived || self.file.is_some() || self.pattern.is_some()
    }
}
