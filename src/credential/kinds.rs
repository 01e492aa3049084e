//! Credentials, typed by kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::net::endpoint::Endpoint;

/// Prefix of the extra values that record the origin of a native login. Such names are reserved for this program.
pub(crate) const LOGIN: &str = "login.";
/// Prefix of the part that names the host of a native login's token endpoint.
pub(crate) const LOGIN_AT: &str = "login.at:";
/// The part of a native login that can be revoked.
pub(crate) const REVOCATION: &str = "login.revocation_url";
/// Prefix of the part that names a native login's OAuth client.
pub(crate) const LOGIN_CLIENT: &str = "login.client:";

/// The extra value with what the vendor's file had beside the parts that the capture map names, as JSON.
pub(crate) const KEPT: &str = "login.kept";
/// The part that holds new tokens that do not fit the login.
pub(crate) const SET_ASIDE: &str = "login.set_aside";

/// The secret part of a credential, typed by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A long-lived API key.
    ApiKey {
        /// The key.
        key: Secret,
    },
    /// The tokens of an OAuth 2.0 login (RFC 6749 section 5.1).
    OAuth(OAuth),
    /// A bearer token that cannot be refreshed.
    Token {
        /// The token.
        token: Secret,
    },
    /// User and password (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Named secret fields, for channels that need more than one.
    Fields(BTreeMap<String, Secret>),
}

/// The tokens of an OAuth login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// The token that requests carry.
    pub access_token: Secret,
    /// The token that is exchanged for the next access token. It may rotate.
    pub refresh_token: Option<Secret>,
    /// The OpenID Connect ID token.
    pub id_token: Option<Secret>,
    /// The vendor's other values, by their names in the descriptor's capture map. They are kept so that the vendor's
    /// file can be written again.
    pub extra: BTreeMap<String, Secret>,
}

/// The kind of a credential, as stored, displayed and named in descriptors.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Credential::ApiKey`]
    ApiKey,
    /// [`Credential::OAuth`]
    Oauth,
    /// [`Credential::Token`]
    Token,
    /// [`Credential::Basic`]
    Basic,
    /// [`Credential::Fields`]
    Fields,
}

impl Kind {
    /// The stored name: `api_key`, `oauth`, `token`, `basic` or `fields`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Oauth => "oauth",
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Fields => "fields",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Credential {
    /// Creates an API key.
    pub fn api_key(key: impl Into<Secret>) -> Self {
        Self::ApiKey { key: key.into() }
    }

    /// The kind of this credential.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::OAuth(_) => Kind::Oauth,
            Self::Token { .. } => Kind::Token,
            Self::Basic { .. } => Kind::Basic,
            Self::Fields(_) => Kind::Fields,
        }
    }

    /// The single value that authorizes a request: the key, the access token, the token or the password. `None` for
    /// [`Credential::Fields`] with more than one field.
    pub fn usable(&self) -> Option<&Secret> {
        match self {
            Self::ApiKey { key } => Some(key),
            Self::OAuth(oauth) => Some(&oauth.access_token),
            Self::Token { token } => Some(token),
            Self::Basic { password, .. } => Some(password),
            Self::Fields(fields) if fields.len() == 1 => fields.values().next(),
            Self::Fields(_) => None,
        }
    }

    /// The field names of a `fields` credential, or `username` and `password`. Empty for other kinds.
    pub fn field_names(&self) -> Vec<String> {
        match self {
            Self::Fields(fields) => fields.keys().cloned().collect(),
            Self::Basic { .. } => vec!["username".to_owned(), "password".to_owned()],
            _ => Vec::new(),
        }
    }

    /// The value of a field. `None` if it is missing or blank.
    pub fn field(&self, name: &str) -> Option<Secret> {
        let value = match (self, name) {
            (Self::Fields(fields), _) => fields.get(name)?.clone(),
            (Self::Basic { username, .. }, "username") => Secret::new(username.as_str()),
            (Self::Basic { password, .. }, "password") => password.clone(),
            _ => return None,
        };
        (!value.expose().trim().is_empty()).then_some(value)
    }

    /// The names of the parts that are present and not blank, for kinds with several parts: the tokens of `oauth`, with the
    /// origin of a native login, or the fields.
    pub fn parts(&self) -> Vec<String> {
        let Self::OAuth(oauth) = self else {
            return self.field_names().into_iter().filter(|name| self.field(name).is_some()).collect();
        };
        let tokens = [
            ("access_token", Some(&oauth.access_token)),
            ("refresh_token", oauth.refresh_token.as_ref()),
            ("id_token", oauth.id_token.as_ref()),
        ];
        let there = tokens.into_iter().filter(|(_, token)| token.is_some_and(|token| !token.is_empty()));
        let login = |name: &str| oauth.extra.get(&format!("{LOGIN}{name}")).map(Secret::expose);
        let mode = login("mode").map(|mode| format!("{LOGIN}{mode}"));
        // The host, endpoint and client tell how the login can be revoked.
        let host = login("token_url").and_then(|url| url.parse::<Endpoint>().ok());
        let host = host.map(|url| format!("{LOGIN_AT}{}", url.host()));
        let revocation = login("revocation_url").map(|_| REVOCATION.to_owned());
        let client = login("client_id").map(|id| format!("{LOGIN_CLIENT}{id}"));
        let set_aside = oauth.extra.get(SET_ASIDE).map(|_| SET_ASIDE.to_owned());
        let names = there.map(|(name, _)| name.to_owned()).chain(set_aside);
        names.chain(mode).chain(host).chain(revocation).chain(client).collect()
    }
}
