//! The provider descriptor: the content of the YAML file that describes a vendor or tool.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    capture_map::CaptureEntry,
    flow::{Account, Flow},
    one_or_many::OneOrMany,
};
use crate::credential::Kind;

pub use super::refresh::{Body, Refresh, RefreshStrategy, Revoke};

/// The home directory of every login container: writable, in memory, discarded with the container.
pub const HOME: &str = "/home/dev";

/// A way to get a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The vendor's own CLI logs in, in a throwaway container.
    Oauth,
    /// An API key goes straight into the store.
    ApiKey,
    /// A bearer token that was issued elsewhere (RFC 6750) goes straight into the store.
    Token,
    /// `authenticate` itself performs the device authorization grant (RFC 8628): the user types a code in a
    /// browser.
    Device,
    /// `authenticate` itself performs the authorization code grant with PKCE (RFC 7636): the browser comes
    /// back to a loopback port.
    Browser,
    /// A user name and a password go into the store.
    Basic,
    /// Several named values go into the store.
    Fields,
    /// `authenticate` itself performs the client credentials grant (RFC 6749 section 4.4): no user takes
    /// part.
    ClientCredentials,
    /// `authenticate` itself exchanges another token (RFC 8693): no user takes part.
    TokenExchange,
}

impl Mode {
    /// The OAuth flows: the modes in which `authenticate` itself speaks to the authorization server.
    pub const OAUTH_FLOWS: [Self; 4] =
        [Self::Device, Self::Browser, Self::ClientCredentials, Self::TokenExchange];

    /// The mode's name in descriptors and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oauth => "oauth",
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Device => "device",
            Self::Browser => "browser",
            Self::Basic => "basic",
            Self::Fields => "fields",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "token_exchange",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A provider: a vendor or tool that credentials are for. A file of your own with the name of a bundled one
/// overrides it field by field: leave out the fields that stay as they are, and write `null` to remove one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "authenticate provider descriptor")]
pub struct Descriptor {
    /// Name on the command line. It must be the file's name without `.yaml`, which is the default.
    pub name: String,
    /// Name in messages and lists. Default: `name`.
    pub label: String,
    /// Other names on the command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// URL of the vendor's terms of use for this login: https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// Ways to get a credential, the usual one first. Default: `[api_key]`.
    pub modes: Vec<Mode>,

    /// For mode `oauth`: name of the login's directory on the host, one path segment such as `_acme-config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_dir_name: Option<String>,
    /// For mode `oauth`: absolute path in the container where the CLI keeps its files, such as
    /// `/home/dev/.acme`. The login's directory is mounted there. The home directory is `/home/dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_mount: Option<String>,
    /// For mode `oauth`: the CLI's login command, one word an item: `[acme, login]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Login command for when a browser cannot come back to the container, such as `[acme, login, --device]`.
    /// Default: `command`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headless_command: Vec<String>,
    /// Text that is shown before the container starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_hint: Option<String>,
    /// Environment of the login container. A value `env:NAME` takes the value of the variable NAME on the
    /// host.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Additional arguments for the container, as the engine's `run` command spells them. Allowed: `-p`,
    /// `-e`, `--add-host`, `--network`, `--tmpfs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_run_args: Vec<String>,
    /// Ports on the container's loopback interface that the browser comes back to, if they are always the
    /// same. A port in the URL that the command prints is forwarded, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callback_ports: Vec<u16>,
    /// For mode `oauth`: the image with the vendor's CLI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,

    /// Text that is shown when a key is asked for: where to create one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_hint: Option<String>,
    /// The provider's API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,

    /// Places of the credential in the vendor's files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<CaptureEntry>,
    /// Directory where the vendor's CLI keeps these files on the user's machine: `[$ACME_HOME, ~/.acme]`, in the
    /// CLI's own order. The first whose variable is set is used. Only `import` reads it.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub home_dir: OneOrMany,
    /// Files of `capture` that are elsewhere, unless `import` is told the directory: `{.acme.json: ~/.acme.json}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub home_files: BTreeMap<String, OneOrMany>,
    /// State that is merged into a vendor's files when a login is written to them, by file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub post_capture_state: BTreeMap<String, Value>,

    /// The provider's bearer tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<BearerToken>,

    /// How a credential is refreshed before it expires. Default: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// Error codes with which the vendor's token endpoint says, as with `invalid_grant`, that a refresh token is dead and
    /// only a new login helps.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub dead_token_codes: OneOrMany,
    /// Where a token is revoked (RFC 7009). Default: it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Revoke>,
    /// Settings of mode `device`, the device authorization grant (RFC 8628).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Flow>,
    /// Settings of mode `browser`, the authorization code grant with PKCE (RFC 7636) and a loopback redirect
    /// (RFC 8252).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<Flow>,
    /// Settings of mode `client_credentials` (RFC 6749 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<Flow>,
    /// Settings of mode `token_exchange` (RFC 8693).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<Flow>,
    /// Place of the account's name, for a login through an OAuth flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,

    /// The provider's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// How credentials are given to the vendor's tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Fields of mode `fields`, in the order in which they are asked for. Mode `basic` always has `username`
    /// and `password`, which may be described here.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Field>,
}

impl Descriptor {
    /// The settings of an OAuth flow; `None` for the other modes.
    pub fn flow(&self, mode: Mode) -> Option<&Flow> {
        match mode {
            Mode::Device => self.device.as_ref(),
            Mode::Browser => self.browser.as_ref(),
            Mode::ClientCredentials => self.client_credentials.as_ref(),
            Mode::TokenExchange => self.token_exchange.as_ref(),
            Mode::Oauth | Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields => None,
        }
    }

    /// The fields of mode `fields` or `basic`, in the order in which they are asked for. Empty without either
    /// mode.
    pub fn all_fields(&self) -> IndexMap<String, Field> {
        if self.modes.contains(&Mode::Fields) {
            return self.fields.clone();
        }
        if !self.modes.contains(&Mode::Basic) {
            return IndexMap::new();
        }
        let usual = |label: &str, secret| Field { label: label.to_owned(), env_var: None, secret };
        [(USERNAME, usual("User name", false)), (PASSWORD, usual("Password", true))]
            .into_iter()
            .map(|(name, usual)| (name.to_owned(), self.fields.get(name).cloned().unwrap_or(usual)))
            .collect()
    }
}

/// The name of the first field of mode `basic`.
pub const USERNAME: &str = "username";
/// The name of the second field of mode `basic`.
pub const PASSWORD: &str = "password";

/// An image with the vendor's CLI. It is built from `images/NAME/Containerfile`, which is bundled or in the
/// configuration directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Name of the directory below `images/`.
    pub name: String,
    /// The npm or Debian package with the vendor's CLI, passed to the build as the argument `PACKAGE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Version of the vendor's CLI, passed to the build as the argument `VERSION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A provider's API keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiKey {
    /// URL of the page where a key is created and deleted: https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_url: Option<String>,
    /// Environment variables that contain a key. The first one that is set is used.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub env_var: OneOrMany,
    /// Regular expression that a whole key matches. A key that does not is refused before it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The file where the vendor's CLI keeps the key, below the home directory: `~/.acme/auth.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_path: Option<String>,
    /// Content of that file, with `{key}` in place of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Name of the CLI in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
}

/// The provider's API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Base URL of requests: https, or http on the loopback interface. `env:NAME` takes the value of the
    /// variable NAME.
    pub base_url: String,
    /// Format of requests and responses.
    pub shape: ApiShape,
    /// How a request with an API key is authorised. Default: `bearer`.
    #[serde(default)]
    pub auth: ApiAuth,
    /// Headers of every request, such as a version. A value `env:NAME` takes the value of the variable NAME.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether the API runs on the user's own machine. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// Whether the API works without a key. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key_optional: bool,
}

/// The format of an API's requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiShape {
    /// Format of the `OpenAI` API.
    Openai,
    /// Format of the Anthropic Messages API.
    Anthropic,
    /// The vendor's own format.
    Own,
}

/// How a request with an API key is authorised. Tokens are always sent as bearer tokens (RFC 6750), and user
/// name and password as basic authentication (RFC 7617).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiAuth {
    /// `Authorization: Bearer KEY` (RFC 6750).
    #[default]
    Bearer,
    /// `x-api-key: KEY`.
    XApiKey,
    /// `PRIVATE-TOKEN: KEY`.
    PrivateToken,
}

/// A provider's bearer tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BearerToken {
    /// Environment variables that contain a token. They are read after those of `api_key`.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub env_var: OneOrMany,
    /// Regular expression that a whole token matches. A token that does not is refused before it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// How credentials are given to the vendor's tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// Environment variables that the vendor's tools read, by kind of credential.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<Kind, OneOrMany>,
}

/// A field of mode `fields` or `basic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name of the field when it is asked for.
    pub label: String,
    /// Environment variable that fills the field each time it is used, if its stored value is blank. The
    /// value is not stored. Only a field with a variable may be left blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Whether the value is masked while it is typed, and refused on the command line. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub secret: bool,
}

fn yes() -> bool {
    true
}
