//! Reading and writing the files in `samples.yaml`, which look as vendors' CLIs write them.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Login, entries};
use crate::credential::{Credential, Kind};

/// A vendor's file with its capture map.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) map: String,
    pub(super) text: String,
    read: Expected,
    /// A file of another login at the same vendor, with other values.
    pub(super) other: String,
    /// Texts of `other` that must remain after writing.
    kept: Vec<String>,
    /// Texts of `other` that must not remain after writing.
    gone: Vec<String>,
}

/// The credential that `text` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: Kind,
    secret: String,
    account: Option<String>,
    host: Option<String>,
    #[serde(default)]
    scopes: String,
    expires_at: Option<i64>,
}

pub(super) const GH: &str = "
- file: hosts.yml
  format: yaml
  kind: token
  fields:
    token: /*/oauth_token
    account: {path: /*/user, optional: true}
    host: {path: /*, as: key}
  defaults: {/*/git_protocol: https}
";

pub(super) const CODEX: &str = "
- file: auth.json
  format: json
  kind: oauth
  fields:
    access_token: /tokens/access_token
    refresh_token: /tokens/refresh_token
    id_token: /tokens/id_token
    expires_at: {path: /tokens/access_token, as: jwt_exp}
    account: {path: /tokens/id_token, as: jwt_claim, claim: /email}
    extra:
      account_id: {path: /tokens/account_id, optional: true}
      plan: {path: /tokens/id_token, as: jwt_claim, claim: '/https:~1~1api.openai.com~1auth/chatgpt_plan_type'}
      last_refresh: {path: /last_refresh, optional: true}
  when: {/auth_mode: [chatgpt, null]}
- file: auth.json
  format: json
  kind: api_key
  fields: {key: /OPENAI_API_KEY}
  when: {/auth_mode: [apikey, null]}
";

pub(super) fn all() -> Vec<Sample> {
    serde_yaml::from_str(include_str!("samples.yaml")).expect("samples")
}

/// The samples whose file can be written from the credential alone. The keys in Copilot's file are in no part of the
/// credential.
fn all_that_start_empty() -> impl Iterator<Item = Sample> {
    all().into_iter().filter(|sample| sample.name != "copilot")
}

#[test]
fn read_finds_the_credential_of_each_sample() {
    for Sample { name, file, map, text, read, .. } in all() {
        let found = Login::with(&file, text).captured(&map);
        let metadata = &found.metadata;
        assert_eq!(found.credential.kind(), read.kind, "{name}");
        assert_eq!(found.credential.usable().map(|s| s.expose()), Some(read.secret.as_str()), "{name}");
        assert_eq!(metadata.account, read.account, "{name}");
        assert_eq!(metadata.host, read.host, "{name}");
        assert_eq!(metadata.scopes.join(" "), read.scopes, "{name}");
        assert_eq!(metadata.expires_at.map(Timestamp::as_second), read.expires_at, "{name}");
        assert_eq!(found.file, file);
    }
}

#[test]
fn write_into_a_new_file_is_read_back_the_same() {
    for Sample { name, file, map, text, .. } in all_that_start_empty() {
        let found = Login::with(&file, text).captured(&map);
        let new = Login::new();
        new.write(&map, &found).expect(&name);
        assert_eq!(new.captured(&map), found, "{name}");
        assert_eq!(new.mode(&file), 0o600);
    }
}

#[test]
fn write_into_another_logins_file_replaces_the_login_and_keeps_the_rest() {
    for sample in all() {
        let Sample { name, file, map, .. } = &sample;
        let found = Login::with(file, &sample.text).captured(map);
        let other = Login::with(file, &sample.other);
        other.write(map, &found).expect(name);
        let text = other.text(file);
        assert_eq!(other.captured(map), found, "{name}: {text}");
        for kept in &sample.kept {
            assert!(text.contains(kept), "{name}: {kept:?} is not in {text}");
        }
        for gone in &sample.gone {
            assert!(!text.contains(gone), "{name}: {gone:?} is still in {text}");
        }
    }
}

#[test]
fn write_of_the_same_credential_changes_no_byte() {
    for Sample { name, file, map, text, .. } in all().into_iter().filter(|s| !s.file.ends_with(".yml")) {
        let login = Login::with(&file, &text);
        login.write(&map, &login.captured(&map)).expect(&name);
        let expected = match name.as_str() {
            "vibe" => "MISTRAL_API_KEY=mk-1\n".to_owned(),
            "gemini" => text.replace("openid  https", "openid https"),
            "opencode" => text.replace(": ", ":").replace(", ", ","),
            _ => text,
        };
        assert_eq!(login.text(&file), expected, "{name}");
    }
}

#[test]
fn read_tells_the_api_key_and_the_login_in_one_file_apart() {
    let login = Login::with("auth.json", r#"{"OPENAI_API_KEY":"sk-1","tokens":null}"#);
    assert_eq!(login.captured(CODEX).credential, Credential::api_key("sk-1"));
    assert_eq!(entries(CODEX).len(), 2);
}
