//! What the tokens themselves say, for tokens that came by another way than the vendor's file.

use super::{document::Document, edit::Editor, extract::extract, map::PartMap, parse};
use crate::{
    credential::{Credential, Metadata},
    provider::capture_map::CaptureEntry,
};

/// What is known of a credential after it was put into the vendor's form and read back: what the map takes from a JWT
/// (`jwt_exp`, `jwt_claim`) is that of these tokens, and the rest is `known`.
pub fn derive_metadata(entries: &[CaptureEntry], credential: &Credential, known: &Metadata) -> Metadata {
    let found = read_back(entries, credential, known).unwrap_or_default();
    Metadata {
        account: found.account.or_else(|| known.account.clone()),
        host: found.host.or_else(|| known.host.clone()),
        scopes: if found.scopes.is_empty() { known.scopes.clone() } else { found.scopes },
        expires_at: known.expires_at.or(found.expires_at),
        owner: known.owner,
    }
}

fn read_back(entries: &[CaptureEntry], credential: &Credential, known: &Metadata) -> Option<Metadata> {
    let entry = entries.iter().find(|entry| entry.kind == credential.kind())?;
    let map = PartMap::of(entry).ok()?;
    let empty = Document::parse(entry.format, "").ok()?;
    let mut editor = Editor::new(map.file.clone(), entry.format, empty);
    editor.put(&map, entry, credential, known).ok()?;
    let document = parse(entry.format, editor.finish().ok()?.as_bytes(), &map.file).ok()?;
    extract(&map, &document.view()).ok()?.map(|(_, metadata)| metadata)
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

    fn codex_like() -> Vec<CaptureEntry> {
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
    fn what_is_in_the_tokens_is_found_by_the_map() {
        let known = Metadata { account: Some("old@example.org".into()), ..Metadata::default() };
        let new = tokens(&jwt(&json!({"exp": 2_000_000_000})), &jwt(&json!({"email": "new@example.org"})));
        let found = derive_metadata(&codex_like(), &new, &known);
        assert_eq!(found.account.as_deref(), Some("new@example.org"));
        assert_eq!(found.expires_at, Timestamp::from_second(2_000_000_000).ok());
    }

    #[test]
    fn what_the_server_said_of_the_expiry_comes_first_and_what_is_not_found_stays() {
        let said = Timestamp::from_second(1_900_000_000).ok();
        let known = Metadata { account: Some("me".into()), expires_at: said, ..Metadata::default() };
        assert_eq!(derive_metadata(&codex_like(), &tokens("opaque", "opaque"), &known), known);
        assert_eq!(derive_metadata(&[], &tokens("opaque", "opaque"), &known), known);
    }
}
