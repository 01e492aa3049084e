//! The parts of a credential that a capture map can place in a file.

use std::fmt;

use super::{
    entry::FieldMap,
    field_path::{Convert, FieldPath},
};
use crate::{credential::Kind, redact::escape};

/// A part of a credential, by its name in the map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
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

/// All parts but the extra ones, each with its name and its place in the map.
const NAMED: [(Part, &str, fn(&FieldMap) -> &Option<FieldPath>); 11] = [
    (Part::Key, "key", |map| &map.key),
    (Part::AccessToken, "access_token", |map| &map.access_token),
    (Part::RefreshToken, "refresh_token", |map| &map.refresh_token),
    (Part::IdToken, "id_token", |map| &map.id_token),
    (Part::Token, "token", |map| &map.token),
    (Part::Username, "username", |map| &map.username),
    (Part::Password, "password", |map| &map.password),
    (Part::ExpiresAt, "expires_at", |map| &map.expires_at),
    (Part::Account, "account", |map| &map.account),
    (Part::Host, "host", |map| &map.host),
    (Part::Scopes, "scopes", |map| &map.scopes),
];

impl Part {
    /// The parts without which there is no credential of that kind.
    pub(super) fn required_by(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::ApiKey => &[Self::Key],
            Kind::Oauth => &[Self::AccessToken],
            Kind::Token => &[Self::Token],
            Kind::Basic => &[Self::Username, Self::Password],
            Kind::Fields => &[],
        }
    }

    /// The parts that a map places, each with its path.
    pub(crate) fn all_in(map: &FieldMap) -> impl Iterator<Item = (Self, &FieldPath)> {
        let named = NAMED.iter().filter_map(|(part, _, path)| Some((part.clone(), path(map).as_ref()?)));
        named.chain(map.extra.iter().map(|(name, path)| (Self::Extra(name.clone()), path)))
    }

    /// Whether credentials of that kind can have this part.
    pub(super) fn belongs_to(&self, kind: Kind) -> bool {
        match self {
            Self::ExpiresAt | Self::Account | Self::Host | Self::Scopes => true,
            Self::RefreshToken | Self::IdToken => kind == Kind::Oauth,
            Self::Extra(_) => matches!(kind, Kind::Oauth | Kind::Fields),
            own => Self::required_by(kind).contains(own),
        }
    }

    /// Whether the value of this part can be converted that way, or left as it is.
    pub(super) fn allows(&self, convert: Option<Convert>) -> bool {
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
        match (self, NAMED.iter().find(|(part, ..)| part == self)) {
            (Self::Extra(name), _) => write!(f, "extra.{}", escape(name.as_bytes())),
            (_, named) => f.write_str(named.map_or("", |(_, name, _)| name)),
        }
    }
}
