//! Files of real vendors' CLIs.

use jiff::Timestamp;

use super::{Login, entries};
use crate::credential::{Credential, Kind};

pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) map: &'static str,
    pub(super) text: &'static str,
    /// What is read: kind, usable secret, account, host, scopes, expiry.
    pub(super) read:
        (Kind, &'static str, Option<&'static str>, Option<&'static str>, &'static str, Option<i64>),
    /// The same vendor's file of another login, with fields of its own.
    pub(super) other: &'static str,
    /// What of that one must still be there after writing, and what must not.
    pub(super) kept: &'static [&'static str],
    pub(super) gone: &'static [&'static str],
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
  defaults: {/auth_mode: chatgpt}
- file: auth.json
  format: json
  kind: api_key
  fields: {key: /OPENAI_API_KEY}
  defaults: {/auth_mode: apikey}
";

pub(super) fn all() -> Vec<Sample> {
    vec![
        Sample {
            name: "codex",
            file: "auth.json",
            map: CODEX,
            // {"alg":"none"} . {"exp":1800000000} ; {"email":"me@example.com","https://api.openai.com/auth":{"chatgpt_plan_type":"plus"}}
            text: r#"{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": null,
  "tokens": {
    "id_token": "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIiwiaHR0cHM6Ly9hcGkub3BlbmFpLmNvbS9hdXRoIjp7ImNoYXRncHRfcGxhbl90eXBlIjoicGx1cyJ9fQ.sig",
    "access_token": "eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.sig",
    "refresh_token": "rt-1",
    "account_id": "acc-1"
  },
  "last_refresh": "2026-01-02T03:04:05.678901234Z"
}"#,
            read: (
                Kind::Oauth,
                "eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.sig",
                Some("me@example.com"),
                None,
                "",
                Some(1_800_000_000),
            ),
            other: r#"{"tokens":{"access_token":"old-a","refresh_token":"old-r","workspace":{"n":12345678901234567890123}},"future":1.10,"auth_mode":"own"}"#,
            kept: &[
                r#""workspace":{"n":12345678901234567890123}"#,
                r#""future":1.10"#,
                r#""auth_mode":"own""#,
            ],
            gone: &["old-a", "old-r", "\n"],
        },
        Sample {
            name: "claude",
            file: ".credentials.json",
            map: "
- file: .credentials.json
  format: json
  kind: oauth
  fields:
    access_token: /claudeAiOauth/accessToken
    refresh_token: /claudeAiOauth/refreshToken
    expires_at: {path: /claudeAiOauth/expiresAt, as: unix_millis}
    scopes: /claudeAiOauth/scopes
    extra:
      subscription: {path: /claudeAiOauth/subscriptionType, optional: true}
      tier: {path: /claudeAiOauth/rateLimitTier, optional: true}
",
            text: r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-a","refreshToken":"sk-ant-ort01-r","expiresAt":1800000000123,"scopes":["user:inference","user:profile"],"subscriptionType":"max","rateLimitTier":null}}"#,
            read: (
                Kind::Oauth,
                "sk-ant-oat01-a",
                None,
                None,
                "user:inference user:profile",
                Some(1_800_000_000),
            ),
            other: r#"{"mcpOAuth":{"x":{"accessToken":"mcp"}},"claudeAiOauth":{"accessToken":"old-a","refreshToken":"old-r","expiresAt":1,"scopes":["old-s"],"rateLimitTier":"old-t"}}"#,
            kept: &[r#""mcpOAuth":{"x":{"accessToken":"mcp"}}"#, "1800000000123"],
            gone: &["old-a", "old-r", "old-s", "old-t"],
        },
        Sample {
            name: "gh, flat",
            file: "hosts.yml",
            map: GH,
            text: "github.example.com:\n    user: monalisa\n    oauth_token: gho_1\n    git_protocol: ssh\n",
            read: (Kind::Token, "gho_1", Some("monalisa"), Some("github.example.com"), "", None),
            other: "github.example.com:\n    oauth_token: old-t\n    git_protocol: ssh\n    user: old-u\n    pin: 0123\n",
            kept: &["git_protocol: ssh"],
            gone: &["old-t", "old-u"],
        },
        Sample {
            name: "gh, with users",
            file: "hosts.yml",
            map: GH,
            text: "github.com:\n    users:\n        monalisa:\n            oauth_token: gho_1\n    user: monalisa\n    oauth_token: gho_1\n",
            read: (Kind::Token, "gho_1", Some("monalisa"), Some("github.com"), "", None),
            other: "github.com:\n    users:\n        hubot:\n            oauth_token: gho_hubot\n    user: hubot\n    oauth_token: old-t\n",
            kept: &["hubot:\n", "oauth_token: gho_hubot", "git_protocol: https"],
            gone: &["old-t", "user: hubot"],
        },
        Sample {
            name: "opencode",
            file: "share/opencode/auth.json",
            map: "
- file: share/opencode/auth.json
  format: json
  kind: oauth
  fields:
    access_token: /anthropic/access
    refresh_token: /anthropic/refresh
    expires_at: {path: /anthropic/expires, as: unix_millis}
  defaults: {/anthropic/type: oauth}
- file: share/opencode/auth.json
  format: json
  kind: api_key
  fields: {key: /opencode/key}
  defaults: {/opencode/type: api}
",
            text: r#"{"opencode": {"type": "api", "key": "oc-1"}}"#,
            read: (Kind::ApiKey, "oc-1", None, None, "", None),
            other: "{\n\t\"openai\": {\n\t\t\"type\": \"api\",\n\t\t\"key\": \"sk-other\"\n\t},\n\t\"opencode\": {\n\t\t\"type\": \"api\",\n\t\t\"key\": \"old-k\"\n\t}\n}\n",
            kept: &["{\n\t\"openai\": {\n\t\t\"type\": \"api\",\n\t\t\"key\": \"sk-other\"\n\t},\n"],
            gone: &["old-k"],
        },
        Sample {
            name: "gemini",
            file: "oauth_creds.json",
            map: "
- file: oauth_creds.json
  format: json
  kind: oauth
  fields:
    access_token: /access_token
    refresh_token: /refresh_token
    id_token: {path: /id_token, optional: true}
    expires_at: {path: /expiry_date, as: unix_millis}
    scopes: {path: /scope, as: space_separated}
",
            text: r#"{"access_token":"ya29.a","scope":"openid  https://www.googleapis.com/auth/userinfo.email","token_type":"Bearer","expiry_date":1800000000999,"refresh_token":"1//r"}"#,
            read: (
                Kind::Oauth,
                "ya29.a",
                None,
                None,
                "openid https://www.googleapis.com/auth/userinfo.email",
                Some(1_800_000_000),
            ),
            other: r#"{"token_type":"Bearer","expiry_date":"17","id_token":"old-i","access_token":"old-a","refresh_token":"old-r","scope":"old-s"}"#,
            kept: &[r#""token_type":"Bearer","expiry_date":"1800000000999""#],
            gone: &["old-i", "old-a", "old-r", "old-s"],
        },
        Sample {
            name: "copilot",
            file: "config.json",
            map: "
- file: config.json
  format: json
  kind: token
  fields:
    token: /authTokens/*/token
    host: {path: /lastLoggedInUser/host, optional: true}
",
            text: "// Mine.\n// Yours.\n{\"lastLoggedInUser\":{\"host\":\"https://github.com\"},\"authTokens\":{\"h:me\":{\"token\":\"gho_1\"},\"h:me:github\":{\"token\":\"gho_1\"}}}",
            read: (Kind::Token, "gho_1", None, Some("https://github.com"), "", None),
            other: "// Mine.\n{\"authTokens\":{\"h:me\":{\"token\":\"old\"},\"h:me:github\":{\"token\":\"old\"}}}",
            kept: &[
                "// Mine.\n{\"authTokens\":{\"h:me\":{\"token\":\"gho_1\"},\"h:me:github\":{\"token\":\"gho_1\"}}",
            ],
            gone: &["old"],
        },
        Sample {
            name: "a TOML one",
            file: "cli/config.toml",
            map: "
- file: cli/config.toml
  format: toml
  kind: oauth
  fields:
    access_token: /hosts/*/token
    host: {path: /hosts/*, as: key}
    account: {path: /hosts/*/user, optional: true}
    expires_at: {path: /hosts/*/expires, as: rfc3339, optional: true}
    refresh_token: {path: /hosts/*/refresh, optional: true}
",
            text: "[hosts.\"git.example.com\"]\ntoken = \"t-1\"\nuser = \"me\"\nexpires = 2027-01-15T08:00:00Z\n",
            read: (Kind::Oauth, "t-1", Some("me"), Some("git.example.com"), "", Some(1_800_000_000)),
            other: "# mine\nlevel = 3 # low\nsize = 1.10\n\n[hosts.\"git.example.com\"] # work\nuser = \"old-u\"\ntoken = 'old-t' # secret\nrefresh = \"old-r\"\nexpires = 2020-01-01T00:00:00Z\n\n[[list]]\na = 1\n",
            kept: &[
                "# mine\nlevel = 3 # low\nsize = 1.10\n\n[hosts.\"git.example.com\"] # work\n",
                "token = \"t-1\" # secret\n",
                "expires = 2027-01-15T08:00:00Z\n",
                "\n[[list]]\na = 1\n",
            ],
            gone: &["old-t", "old-u", "old-r", "2020"],
        },
        Sample {
            name: "vibe",
            file: ".env",
            map: "
- file: .env
  format: dotenv
  kind: api_key
  fields: {key: /MISTRAL_API_KEY}
",
            text: "MISTRAL_API_KEY='mk-1'\n",
            read: (Kind::ApiKey, "mk-1", None, None, "", None),
            other: "# mine\nMISTRAL_API_KEY=old-1\nOTHER=\"a # b\\n\"   # tail\n  export MISTRAL_API_KEY = \"old-2\"  # key\r\nLAST=x",
            kept: &["# mine\nOTHER=\"a # b\\n\"   # tail\n  export MISTRAL_API_KEY = mk-1  # key\r\nLAST=x"],
            gone: &["old-1", "old-2"],
        },
    ]
}

#[test]
fn what_a_vendor_wrote_is_read() {
    for sample in all() {
        let found = Login::with(sample.file, sample.text).captured(sample.map);
        let (kind, secret, account, host, scopes, expiry) = sample.read;
        let metadata = &found.metadata;
        assert_eq!(found.credential.kind(), kind, "{}", sample.name);
        assert_eq!(found.credential.usable().map(|s| s.expose()), Some(secret), "{}", sample.name);
        assert_eq!(metadata.account.as_deref(), account, "{}", sample.name);
        assert_eq!(metadata.host.as_deref(), host, "{}", sample.name);
        assert_eq!(metadata.scopes.join(" "), scopes, "{}", sample.name);
        assert_eq!(metadata.expires_at.map(Timestamp::as_second), expiry, "{}", sample.name);
        assert_eq!(found.file, sample.file);
    }
}

#[test]
fn what_was_read_is_written_into_a_new_file_and_read_again() {
    // Copilot's keys are in no part of the credential: only its own file says them.
    for sample in all().into_iter().filter(|sample| sample.name != "copilot") {
        let found = Login::with(sample.file, sample.text).captured(sample.map);
        let new = Login::new();
        let files = new.write(sample.map, &found).expect(sample.name);
        assert_eq!(files, [new.path().join(sample.file)], "{}", sample.name);
        assert_eq!(new.captured(sample.map), found, "{}", sample.name);
        assert_eq!(new.mode(sample.file), 0o600);
    }
}

#[test]
fn what_was_read_is_written_into_another_logins_file_which_keeps_its_own_fields() {
    for sample in all() {
        let found = Login::with(sample.file, sample.text).captured(sample.map);
        let other = Login::with(sample.file, sample.other);
        other.write(sample.map, &found).expect(sample.name);
        let text = other.text(sample.file);
        assert_eq!(other.captured(sample.map), found, "{}: {text}", sample.name);
        for kept in sample.kept {
            assert!(text.contains(kept), "{}: {kept:?} is not in {text}", sample.name);
        }
        for gone in sample.gone {
            assert!(!text.contains(gone), "{}: {gone:?} is still in {text}", sample.name);
        }
    }
}

#[test]
fn a_vendors_file_written_back_unchanged_is_the_same_to_the_byte() {
    for sample in all().into_iter().filter(|sample| !sample.file.ends_with(".yml")) {
        let login = Login::with(sample.file, sample.text);
        login.write(sample.map, &login.captured(sample.map)).expect(sample.name);
        let expected = match sample.name {
            "vibe" => "MISTRAL_API_KEY=mk-1\n".to_owned(),
            "gemini" => sample.text.replace("openid  https", "openid https"),
            "opencode" => sample.text.replace(": ", ":").replace(", ", ","),
            _ => sample.text.to_owned(),
        };
        assert_eq!(login.text(sample.file), expected, "{}", sample.name);
    }
}

#[test]
fn the_codex_key_and_its_login_are_told_apart() {
    let login = Login::with("auth.json", r#"{"OPENAI_API_KEY":"sk-1","tokens":null}"#);
    assert_eq!(login.captured(CODEX).credential, Credential::api_key("sk-1"));
    assert_eq!(entries(CODEX).len(), 2);
}
