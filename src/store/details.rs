//! What else is known of a stored credential without its secret: the column `details`, a JSON object in which only what
//! is not usual stands. What is only looked at on its way is in `moving`.

use serde::{Deserialize, Serialize};

use crate::credential::{Credential, Metadata, Owner};

/// The object of most credentials.
pub(super) const NONE: &str = "{}";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    /// Who keeps it alive.
    #[serde(skip_serializing_if = "Owner::is_us")]
    pub(super) owner: Owner,
    /// The parts of the secret that are there and not blank, of kinds that have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<String>,
}

impl Details {
    pub(super) fn of(credential: &Credential, metadata: &Metadata) -> Self {
        Self { owner: metadata.owner, parts: credential.parts() }
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| NONE.to_owned())
    }

    pub(super) fn read(text: &str) -> Result<Self, serde_json::Error> {
        // Nearly all are, and a list may be long.
        if text == NONE { Ok(Self::default()) } else { serde_json::from_str(text) }
    }
}
