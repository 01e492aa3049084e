//! What else is known of a stored credential without its secret: the column `details`, a JSON object in which only what
//! is not usual stands. What is only looked at on its way is in `moving`.

use serde::{Deserialize, Serialize};

use crate::credential::{Credential, Metadata, Owner};

/// The object of most credentials.
pub(in crate::store) const NONE: &str = "{}";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Details {
    /// Who keeps it alive.
    #[serde(skip_serializing_if = "Owner::is_us")]
    pub(in crate::store) owner: Owner,
    /// The parts of the secret that are there and not blank, of kinds that have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) parts: Vec<String>,
}

impl Details {
    pub(in crate::store) fn of(credential: &Credential, metadata: &Metadata) -> Self {
        Self { owner: metadata.owner, parts: credential.parts() }
    }

    pub(in crate::store) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| NONE.to_owned())
    }

    pub(in crate::store) fn read(text: &str) -> Result<Self, serde_json::Error> {
        // Nearly all are, and a list may be long.
        if text == NONE { Ok(Self::default()) } else { serde_json::from_str(text) }
    }
}
