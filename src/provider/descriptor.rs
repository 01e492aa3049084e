//! The provider descriptor: what one YAML file says about a vendor or tool.

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

/// The home directory of every login container: writable, in memory, gone with the container.
pub const HOME: &str = "/home/dev";

/// A way to get a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The vendor's own CLI, in a throwaway container.
    Oauth,
    /// An API key, straight into the store.
    ApiKey,
    /// A bearer token that was issued elsewhere (RFC 6750), straight into the store.
    Token,
    /// The device authorization grant (RFC 8628), natively.
    Device,
    /// The authorization code grant with PKCE (RFC 7636) over a loopback redirect, natively.
    Browser,
    /// User and password.
    Basic,
    /// Several named secret fields.
    Fields,
    /// The client's own credentials (RFC 6749 section 4.4), natively.
    ClientCredentials,
    /// Another token, exchanged (RFC 8693), natively.
    TokenExchange,
}

impl Mode {
    /// The modes in which we speak to the authorization server ourselves.
    pub const OAUTH_FLOWS: [Self; 4] =
        [Self::Device, Self::Browser, Self::ClientCredentials, Self::TokenExchange];

    /// The name used in descriptors and on the command line.
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

/// One provider, as its YAML file describes it. In a user's file that overrides a bundled one, every field but
/// those to be changed may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "authenticate provider descriptor")]
pub struct Descriptor {
    /// The provider's name; the same as the file's name without `.yaml`.
    pub name: String,
    /// The name shown to people.
    pub label: String,
    /// Other names for the same provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// URL of the vendor's terms for this login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The ways to get a credential, the usual one first. Default: `[api_key]`.
    pub modes: Vec<Mode>,

    /// Name of the login's directory on the host: one path segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_dir_name: Option<String>,
    /// Where that directory is mounted in the container: absolute, and the place where the vendor's CLI keeps its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_mount: Option<String>,
    /// The vendor's login command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The login command used when no browser's redirect can reach the container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headless_command: Vec<String>,
    /// Text shown before the container starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_hint: Option<String>,
    /// Environment of the login container. `env:NAME` stands for what the variable NAME holds here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// More arguments for the container, in the engine's own words: `-p`, `-e`, `--add-host`, `--network`, `--tmpfs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_run_args: Vec<String>,
    /// Ports on the container's loopback that the browser's redirect goes to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callback_ports: Vec<u16>,
    /// The image with the vendor's CLI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,

    /// Where to get a key; shown when one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_hint: Option<String>,
    /// What is known about the provider's API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,

    /// Where the vendor's files hold the credential. Tried in order: the first entry whose required fields are all
    /// there is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<CaptureEntry>,
    /// Where the vendor's own tool keeps those files on a person's machine: `~/.acme`. Only looked at when asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_dir: Option<String>,
    /// State merged into vendor files when a login is written out, by file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub post_capture_state: BTreeMap<String, Value>,

    /// Bearer tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<BearerToken>,

    /// How an expiring credential is renewed. Default: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// Where a credential is revoked (RFC 7009).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Revoke>,
    /// The device authorization grant (RFC 8628).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Flow>,
    /// The authorization code grant with PKCE (RFC 7636) and a loopback redirect (RFC 8252).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<Flow>,
    /// The client credentials grant (RFC 6749 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<Flow>,
    /// The exchange of another token (RFC 8693).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<Flow>,
    /// Where a native login's account name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,

    /// The provider's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// How credentials are handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The fields of mode `fields`, in the order in which they are asked for. Mode `basic` has `username` and
    /// `password` without being told; it may describe them here.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Field>,
}

impl Descriptor {
    /// What it says about a native mode.
    pub fn flow(&self, mode: Mode) -> Option<&Flow> {
        match mode {
            Mode::Device => self.device.as_ref(),
            Mode::Browser => self.browser.as_ref(),
            Mode::ClientCredentials => self.client_credentials.as_ref(),
            Mode::TokenExchange => self.token_exchange.as_ref(),
            Mode::Oauth | Mode::ApiKey | Mode::Token | Mode::Basic | Mode::Fields => None,
        }
    }

    /// The fields of its mode `fields` or `basic`, in the order in which they are asked for. None for a provider that
    /// has neither mode.
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

/// The first field of mode `basic`.
pub const USERNAME: &str = "username";
/// The second field of mode `basic`.
pub const PASSWORD: &str = "password";

/// The image with the vendor's CLI, built from the user's or the bundled `images/<name>/Containerfile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Directory under `images/`.
    pub name: String,
    /// The npm or Debian package with the vendor's CLI, passed to the build as `PACKAGE`. For a Containerfile that
    /// several providers share, such as the bundled `node-cli`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Version of the vendor's CLI, passed to the build as `VERSION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is known about a provider's API keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiKey {
    /// URL where a key is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_url: Option<String>,
    /// The environment variables that hold the key; the first that is set wins.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub env_var: OneOrMany,
    /// A regular expression that every whole key matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The vendor's own file for the key, under the container's home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_path: Option<String>,
    /// Content of that file, with `{key}` where the key goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The tool's name in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
}

/// How an expiring credential is renewed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// By whom.
    pub strategy: RefreshStrategy,
    /// Token endpoint, for `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// Client id, or `env:NAME`, for `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Form of the request, for `oauth`. Default: `form`, as RFC 6749 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The vendor's command that makes it renew its own login, for `command`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// Who renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshStrategy {
    /// Nobody.
    None,
    /// We do, at the token endpoint (RFC 6749 section 6).
    Oauth,
    /// The vendor's own CLI, in a throwaway container.
    Command,
}

/// Form of a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
}

/// Where a credential is revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Revocation endpoint.
    pub url: String,
    /// Client id, or `env:NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Form of the request. Default: `form`, as RFC 7009 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// The provider's API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Base URL of requests. `env:NAME` stands for what the variable NAME holds.
    pub base_url: String,
    /// Whose request shape it speaks.
    pub shape: ApiShape,
    /// How a request is authorised. Default: `bearer`.
    #[serde(default)]
    pub auth: ApiAuth,
    /// Headers that every request has, for example a version. `env:NAME` stands for what the variable NAME holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// It runs on the user's own machine, so that existing is not the same as being configured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// It may be used without a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key_optional: bool,
}

/// Whose request shape an API speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiShape {
    /// OpenAI-compatible.
    Openai,
    /// Anthropic messages.
    Anthropic,
    /// The vendor's own.
    Own,
}

/// How a request is authorised with an API key. Tokens are bearer tokens, user and password are basic (RFC 7617),
/// whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiAuth {
    /// `Authorization: Bearer KEY` (RFC 6750).
    #[default]
    Bearer,
    /// `x-api-key: KEY`
    XApiKey,
    /// `PRIVATE-TOKEN: KEY`
    PrivateToken,
}

/// Bearer tokens that were issued elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BearerToken {
    /// The environment variables that hold one; the first that is set wins, after those of API keys.
    #[serde(skip_serializing_if = "OneOrMany::is_empty")]
    pub env_var: OneOrMany,
}

/// How credentials are handed out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// The environment variables that the vendor's tools read, per kind of credential.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<Kind, OneOrMany>,
}

/// One field of the modes `fields` and `basic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name shown to people.
    pub label: String,
    /// The environment variable that fills the field where the stored one is blank, when it is used; never stored
    /// from there. Only a field that has one may be left blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Whether it is masked when asked for, and refused as an argument. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub secret: bool,
}

fn yes() -> bool {
    true
}
