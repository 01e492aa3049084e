//! The capture map of one file, checked and ready to be used in both directions.

use std::fmt;

use super::{
    error::CaptureError,
    names::escape,
    pointer::{Pointer, segments},
};
use crate::{
    credential::Kind,
    provider::capture_map::{CaptureEntry, Convert, FieldMap, FieldPath},
};

/// A part of a credential, by its name in the map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Key,
    AccessToken,
    RefreshToken,
    IdToken,
    Token,
    Username,
    Password,
    ExpiresAt,
    Account,
    Host,
    Scopes,
    Extra(String),
}

/// Where a part is.
pub(super) struct Field {
    pub(super) part: Part,
    pub(super) pointer: Pointer,
    pub(super) convert: Option<Convert>,
    /// Path in a JWT's payload.
    pub(super) claim: Vec<String>,
    pub(super) required: bool,
}

/// All parts of one entry.
pub(super) struct PartMap {
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field>,
    /// The file's name, for messages.
    pub(super) file: String,
}

impl PartMap {
    pub(super) fn of(entry: &CaptureEntry) -> Result<Self, CaptureError> {
        let file = escape(entry.file.as_bytes());
        let wrong = |problem: String| CaptureError::Map { file: file.clone(), problem };
        let fields = all(&entry.fields)
            .map(|(part, path)| {
                Field::of(&part, path, entry.kind).map_err(|problem| wrong(format!("{part}: {problem}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        for part in needed(entry.kind) {
            if !fields.iter().any(|field| field.part == *part) {
                return Err(wrong(format!("kind {} needs {part}", entry.kind)));
            }
        }
        if entry.kind == Kind::Fields && entry.fields.extra.is_empty() {
            return Err(wrong("kind fields needs extra".to_owned()));
        }
        Ok(Self { kind: entry.kind, fields, file })
    }
}

impl Field {
    fn of(part: &Part, path: &FieldPath, kind: Kind) -> Result<Self, String> {
        if !part.belongs_to(kind) {
            return Err(format!("not a part of kind {kind}"));
        }
        if !part.takes(path.convert) {
            return Err("a conversion that this part does not take, or none where it needs one".to_owned());
        }
        let claim = match (&path.claim, path.convert) {
            (Some(claim), Some(Convert::JwtClaim)) => segments(claim)?,
            (None, Some(Convert::JwtClaim)) => return Err("jwt_claim needs `claim`".to_owned()),
            (Some(_), _) => return Err("`claim` is for jwt_claim".to_owned()),
            (None, _) => Vec::new(),
        };
        let pointer = Pointer::parse(&path.path)?;
        if path.convert == Some(Convert::Key) && !pointer.has_star() {
            return Err("key needs a `*` in its path".to_owned());
        }
        let required = !path.optional || needed(kind).contains(part);
        Ok(Self { part: part.clone(), pointer, convert: path.convert, claim, required })
    }

    /// True if the value is only ever read: the vendor's own tokens carry it.
    pub(super) fn read_only(&self) -> bool {
        matches!(self.convert, Some(Convert::JwtExp | Convert::JwtClaim | Convert::Key))
    }
}

impl Part {
    fn belongs_to(&self, kind: Kind) -> bool {
        match self {
            Self::ExpiresAt | Self::Account | Self::Host | Self::Scopes => true,
            Self::RefreshToken | Self::IdToken => kind == Kind::Oauth,
            Self::Extra(_) => matches!(kind, Kind::Oauth | Kind::Fields),
            own => needed(kind).contains(own),
        }
    }

    fn takes(&self, convert: Option<Convert>) -> bool {
        use Convert::{Json, JwtClaim, JwtExp, Key, Rfc3339, SpaceSeparated, UnixMillis, UnixSeconds};
        match self {
            Self::ExpiresAt => matches!(convert, Some(UnixSeconds | UnixMillis | Rfc3339 | JwtExp)),
            Self::Scopes => matches!(convert, None | Some(SpaceSeparated | JwtClaim)),
            Self::Account | Self::Host => matches!(convert, None | Some(JwtClaim | Key)),
            Self::Extra(_) => matches!(convert, None | Some(JwtClaim | Key | Json)),
            _ => convert.is_none(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::IdToken => "id_token",
            Self::Token => "token",
            Self::Username => "username",
            Self::Password => "password",
            Self::ExpiresAt => "expires_at",
            Self::Account => "account",
            Self::Host => "host",
            Self::Scopes => "scopes",
            Self::Extra(name) => return write!(f, "extra.{}", escape(name.as_bytes())),
        })
    }
}

/// The parts without which there is no credential of that kind.
fn needed(kind: Kind) -> &'static [Part] {
    match kind {
        Kind::ApiKey => &[Part::Key],
        Kind::Oauth => &[Part::AccessToken],
        Kind::Token => &[Part::Token],
        Kind::Basic => &[Part::Username, Part::Password],
        Kind::Fields => &[],
    }
}

fn all(map: &FieldMap) -> impl Iterator<Item = (Part, &FieldPath)> {
    let named = [
        (Part::Key, &map.key),
        (Part::AccessToken, &map.access_token),
        (Part::RefreshToken, &map.refresh_token),
        (Part::IdToken, &map.id_token),
        (Part::Token, &map.token),
        (Part::Username, &map.username),
        (Part::Password, &map.password),
        (Part::ExpiresAt, &map.expires_at),
        (Part::Account, &map.account),
        (Part::Host, &map.host),
        (Part::Scopes, &map.scopes),
    ];
    let named = named.into_iter().filter_map(|(part, path)| path.as_ref().map(|path| (part, path)));
    named.chain(map.extra.iter().map(|(name, path)| (Part::Extra(name.clone()), path)))
}
