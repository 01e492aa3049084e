//! The column `details`: metadata in a JSON object, without members that have their usual value. The member
//! `moving_from` is read elsewhere, see `import_progress`.

use serde::{Deserialize, Serialize};

use crate::credential::{Credential, Metadata, Owner};

/// The object of most credentials.
pub(in crate::store) const NONE: &str = "{}";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Details {
    /// The owner, who refreshes it.
    #[serde(skip_serializing_if = "Owner::is_us")]
    pub(in crate::store) owner: Owner,
    /// The parts of the secret that are there and not blank, for kinds that have several.
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
        // Nearly all are empty, and a list may be long.
        if text == NONE { Ok(Self::default()) } else { serde_json::from_str(text) }
    }
}
