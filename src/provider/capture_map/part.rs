//! The parts of a credential that a capture map can place in a file.

use std::fmt;

use serde::Serialize;

use super::{
    entry::FieldMap,
    field_path::{Convert, FieldPath},
};
use crate::{credential::Kind, redact::escape};

/// A part of a credential, by its name in the map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
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
    Plan,
    Host,
    Scopes,
    Extra(String),
}

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
        let named = [
            (Self::Key, &map.key),
            (Self::AccessToken, &map.access_token),
            (Self::RefreshToken, &map.refresh_token),
            (Self::IdToken, &map.id_token),
            (Self::Token, &map.token),
            (Self::Username, &map.username),
            (Self::Password, &map.password),
            (Self::ExpiresAt, &map.expires_at),
            (Self::Account, &map.account),
            (Self::Plan, &map.plan),
            (Self::Host, &map.host),
            (Self::Scopes, &map.scopes),
        ];
        let named = named.into_iter().filter_map(|(part, path)| Some((part, path.as_ref()?)));
        named.chain(map.extra.iter().map(|(name, path)| (Self::Extra(name.clone()), path)))
    }

    /// Whether the part is a secret, or may be one.
    pub(super) fn is_secret(&self) -> bool {
        !matches!(
            self,
            Self::ExpiresAt | Self::Account | Self::Plan | Self::Host | Self::Scopes | Self::Extra(_)
        )
    }

    /// Whether credentials of that kind can have this part.
    pub(super) fn belongs_to(&self, kind: Kind) -> bool {
        match self {
            Self::ExpiresAt | Self::Account | Self::Plan | Self::Host | Self::Scopes => true,
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
            Self::Account | Self::Plan | Self::Host => matches!(convert, None | Some(JwtClaim | Key)),
            Self::Extra(_) => matches!(convert, None | Some(JwtClaim | Key | Json)),
            _ => convert.is_none(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extra(name) => write!(f, "extra.{}", escape(name.as_bytes())),
            named => named.serialize(f),
        }
    }
}
