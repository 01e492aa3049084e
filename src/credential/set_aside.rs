//! New tokens that do not fit the login that they renew. They are kept with its old tokens until a person decides.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    encoding::to_json,
    kinds::{Credential, OAuth, SET_ASIDE},
    metadata::Metadata,
    secret::Secret,
};

/// The stored form, a JSON object. It holds secrets.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    metadata: Metadata,
    #[serde(borrow)]
    credential: &'a RawValue,
}

impl OAuth {
    /// Returns these tokens with others set aside, in place of any that were.
    pub(crate) fn with_set_aside(&self, tokens: Self, metadata: &Metadata) -> Self {
        let mut kept = self.without_set_aside();
        let encoded = Credential::OAuth(tokens.without_set_aside()).encode();
        // Cannot fail: it was just encoded.
        if let Ok(credential) = serde_json::from_slice(&encoded) {
            let stored = to_json(&Stored { metadata: metadata.clone(), credential });
            let stored = Secret::new(String::from_utf8_lossy(&stored));
            kept.extra.insert(SET_ASIDE.to_owned(), stored);
        }
        kept
    }

    /// Returns the tokens that were set aside, with their metadata.
    pub(crate) fn set_aside(&self) -> Option<(Self, Metadata)> {
        let stored = self.extra.get(SET_ASIDE)?;
        let Stored { metadata, credential } = serde_json::from_str(stored.expose()).ok()?;
        match Credential::decode(credential.get().as_bytes()).ok()? {
            Credential::OAuth(tokens) => Some((tokens, metadata)),
            _ => None,
        }
    }

    /// Returns these tokens alone.
    pub(crate) fn without_set_aside(&self) -> Self {
        let mut tokens = self.clone();
        tokens.extra.remove(SET_ASIDE);
        tokens
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn tokens(access_token: &str) -> OAuth {
        let extra = BTreeMap::from([("login.mode".to_owned(), Secret::from("device"))]);
        OAuth { access_token: access_token.into(), refresh_token: Some("r".into()), id_token: None, extra }
    }

    #[test]
    fn tokens_that_were_set_aside_are_read_back_and_never_nested() {
        let metadata =
            Metadata { account: Some("me".into()), scopes: vec!["a".into()], ..Metadata::default() };
        let (old, new) = (tokens("old"), tokens("new"));
        let kept = old.with_set_aside(new.clone(), &metadata);
        assert_eq!(kept.set_aside(), Some((new.clone(), metadata.clone())));
        assert_eq!(kept.without_set_aside(), old);
        let newer = tokens("newer").with_set_aside(tokens("spent"), &metadata);
        let kept = kept.with_set_aside(newer, &metadata);
        assert_eq!(kept.set_aside().map(|(tokens, _)| tokens), Some(tokens("newer")));
        assert!(Credential::OAuth(kept).parts().contains(&SET_ASIDE.to_owned()));
        assert!(!Credential::OAuth(old).parts().contains(&SET_ASIDE.to_owned()));
    }
}
