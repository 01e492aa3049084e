//! Metadata of a credential, and the record that the store keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{address::Address, kinds::Credential};

/// The attributes of a credential that are not secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The vendor's name of the account: an e-mail address, a user name.
    pub account: Option<String>,
    /// The plan or subscription of the account.
    pub plan: Option<String>,
    /// The only host that the credential may be sent to, if the provider has several.
    pub host: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// Expiry of the API key, access token or password.
    pub expires_at: Option<Timestamp>,
    /// The program that refreshes it.
    pub owner: Owner,
}

/// The program that refreshes a credential. A rotating token has exactly one owner, and only the owner refreshes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// This program.
    #[default]
    Us,
    /// The vendor's own tool, from whose files it was imported.
    Vendor,
}

impl Owner {
    /// The stored name: `us` or `vendor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Vendor => "vendor",
        }
    }

    /// Whether this program may refresh and revoke the credential.
    pub fn is_us(&self) -> bool {
        *self == Self::Us
    }
}

/// A credential as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The address under which it is stored.
    pub address: Address,
    /// The credential itself.
    pub credential: Credential,
    /// Its metadata.
    pub metadata: Metadata,
    /// Time of the first store.
    pub created_at: Timestamp,
    /// Time of the last replacement.
    pub updated_at: Timestamp,
    /// A version for compare-and-swap, which increases with each change.
    pub version: i64,
}
