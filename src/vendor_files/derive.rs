//! Metadata that the tokens themselves carry, for tokens that did not come from a vendor's file.

use std::collections::BTreeMap;

use super::{
    document,
    edit::Editor,
    extract::{Documents, logins},
};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::{CaptureEntry, PartMap},
};

/// Completes `known` with the metadata that the capture map finds in the tokens.
///
/// The credential is put into the vendor's form and read back. Account, plan, host and scopes found there (`jwt_claim`) win
/// over `known`; an expiry in `known` wins over the one in the token (`jwt_exp`).
pub fn derive_metadata(entries: &[CaptureEntry], credential: &Credential, known: &Metadata) -> Metadata {
    let found = read_back(entries, credential, known).unwrap_or_default();
    Metadata {
        account: found.account.or_else(|| known.account.clone()),
        plan: found.plan.or_else(|| known.plan.clone()),
        host: found.host.or_else(|| known.host.clone()),
        scopes: if found.scopes.is_empty() { known.scopes.clone() } else { found.scopes },
        expires_at: known.expires_at.or(found.expires_at),
        owner: known.owner,
    }
}

fn read_back(entries: &[CaptureEntry], credential: &Credential, known: &Metadata) -> Option<Metadata> {
    let entry = entries.iter().find(|entry| entry.holds_own(credential.kind()))?;
    let map = PartMap::compile(entry).ok()?;
    let empty = document::parse(entry.format, "").ok()?;
    let mut editor = Editor::new(map.file.clone(), entry.format, empty);
    editor.put(&map, credential, known).ok()?;
    let view = editor.document.view();
    let login = logins(&map, &Documents { own: &view, others: BTreeMap::new() }).pop()?;
    login.parts.check(&map.file).ok()?;
    login.parts.assemble(map.kind, None).map(|(_, metadata)| metadata)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::credential::OAuth;

    fn jwt(claims: &serde_json::Value) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn jwt_entries() -> Vec<CaptureEntry> {
        let entry = json!([{
            "file": "auth.json", "format": "json", "kind": "oauth",
            "fields": {
                "access_token": "/tokens/access_token",
                "id_token": {"path": "/tokens/id_token", "optional": true},
                "expires_at": {"path": "/tokens/access_token", "as": "jwt_exp", "optional": true},
                "account": {"path": "/tokens/id_token", "as": "jwt_claim", "claim": "/email", "optional": true},
            },
        }]);
        serde_json::from_value(entry).expect("a map")
    }

    fn tokens(access: &str, id: &str) -> Credential {
        Credential::OAuth(OAuth {
            access_token: access.into(),
            refresh_token: None,
            id_token: Some(id.into()),
            extra: Default::default(),
        })
    }

    #[test]
    fn derive_metadata_reads_claims_of_the_tokens() {
        let known = Metadata { account: Some("old@example.org".into()), ..Metadata::default() };
        let new = tokens(&jwt(&json!({"exp": 2_000_000_000})), &jwt(&json!({"email": "new@example.org"})));
        let found = derive_metadata(&jwt_entries(), &new, &known);
        assert_eq!(found.account.as_deref(), Some("new@example.org"));
        assert_eq!(found.expires_at, Timestamp::from_second(2_000_000_000).ok());
    }

    #[test]
    fn derive_metadata_keeps_the_known_expiry_and_all_that_tokens_lack() {
        let expires_at = Timestamp::from_second(1_900_000_000).ok();
        let known = Metadata { account: Some("me".into()), expires_at, ..Metadata::default() };
        assert_eq!(derive_metadata(&jwt_entries(), &tokens("opaque", "opaque"), &known), known);
        assert_eq!(derive_metadata(&[], &tokens("opaque", "opaque"), &known), known);
    }
}
