//! The capture maps of the bundled descriptors, on files as the vendors' CLIs write them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Login, Owner, read};
use crate::{credential::Metadata, provider::Registry};

struct Sample {
    provider: &'static str,
    file: &'static str,
    text: &'static str,
    credential: Value,
    account: Option<&'static str>,
    host: Option<&'static str>,
    scopes: &'static str,
    expires_at: Option<i64>,
}

/// `{"exp":1800000000}`
const ACCESS: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.sig";
/// `{"email":"me@example.com"}`
const ID: &str = "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIn0.sig";

fn samples() -> Vec<Sample> {
    let sample = |provider, file, text, credential| Sample {
        provider,
        file,
        text,
        credential,
        account: None,
        host: None,
        scopes: "",
        expires_at: None,
    };
    vec![
        Sample {
            account: Some("me@example.com"),
            expires_at: Some(1_800_000_000),
            ..sample(
                "codex",
                "auth.json",
                r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{"id_token":"eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIn0.sig","access_token":"eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.sig","refresh_token":"rt","account_id":"acc","login_owner_id":"own","oauth_provenance":{"issuer":"https://auth.example","client_id":"app"}},"last_refresh":"2026-01-02T03:04:05Z"}"#,
                json!({"type": "oauth", "access_token": ACCESS, "refresh_token": "rt", "id_token": ID, "extra": {
                    "account_id": "acc", "login_owner_id": "own", "issuer": "https://auth.example",
                    "client_id": "app", "last_refresh": "2026-01-02T03:04:05Z",
                }}),
            )
        },
        sample(
            "codex",
            "auth.json",
            r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-1","tokens":null}"#,
            json!({"type": "api_key", "key": "sk-1"}),
        ),
        Sample {
            account: Some("uuid-a"),
            scopes: "user:inference user:profile",
            expires_at: Some(1_800_000_000),
            ..sample(
                "claude",
                ".credentials.json",
                r#"{"claudeAiOauth":{"accessToken":"at","refreshToken":"rt","expiresAt":1800000000123,"refreshTokenExpiresAt":1900000000123,"scopes":["user:inference","user:profile"],"subscriptionType":"max","subscriptionTypeSource":"api","rateLimitTier":"t1","accountUuid":"uuid-a","organizationUuid":"uuid-o"}}"#,
                json!({"type": "oauth", "access_token": "at", "refresh_token": "rt", "extra": {
                    "subscription_type": "max", "subscription_type_source": "api", "rate_limit_tier": "t1",
                    "refresh_token_expires_at": "1900000000123", "organization_uuid": "uuid-o",
                }}),
            )
        },
        Sample {
            account: Some("me@example.com"),
            ..sample(
                "claude",
                ".claude.json",
                r#"{"primaryApiKey":"sk-ant","oauthAccount":{"emailAddress":"me@example.com"},"hasCompletedOnboarding":true}"#,
                json!({"type": "api_key", "key": "sk-ant"}),
            )
        },
        Sample {
            account: Some("me@example.com"),
            scopes: "openid email",
            expires_at: Some(1_800_000_000),
            ..sample(
                "gemini",
                "oauth_creds.json",
                r#"{"access_token":"at","refresh_token":"rt","scope":"openid email","token_type":"Bearer","id_token":"eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIn0.sig","expiry_date":1800000000999}"#,
                json!({"type": "oauth", "access_token": "at", "refresh_token": "rt", "id_token": ID, "extra": {
                    "token_type": "Bearer",
                }}),
            )
        },
        Sample {
            expires_at: Some(1_800_000_000),
            ..sample(
                "qwen",
                "oauth_creds.json",
                r#"{"access_token":"at","token_type":"Bearer","refresh_token":"rt","resource_url":"portal.example","expiry_date":1800000000999}"#,
                json!({"type": "oauth", "access_token": "at", "refresh_token": "rt", "extra": {
                    "token_type": "Bearer", "resource_url": "portal.example",
                }}),
            )
        },
        Sample {
            expires_at: Some(1_800_000_000),
            ..sample(
                "opencode",
                "auth.json",
                r#"{"github-copilot":{"type":"oauth","refresh":"rt","access":"at","expires":1800000000999,"accountId":"acc","enterpriseUrl":"https://git.example"}}"#,
                json!({"type": "oauth", "access_token": "at", "refresh_token": "rt", "extra": {
                    "provider": "github-copilot", "account_id": "acc", "enterprise_url": "https://git.example",
                }}),
            )
        },
        sample(
            "opencode",
            "auth.json",
            r#"{"opencode":{"type":"api","key":"oc-1"}}"#,
            json!({"type": "api_key", "key": "oc-1"}),
        ),
        sample("vibe", ".env", "MISTRAL_API_KEY='mk-1'\n", json!({"type": "api_key", "key": "mk-1"})),
        Sample {
            account: Some("monalisa"),
            host: Some("git.example.com"),
            ..sample(
                "glab",
                "config.yml",
                "git_protocol: ssh\nhosts:\n    git.example.com:\n        token: glpat-1\n        api_host: git.example.com\n        user: monalisa\n",
                json!({"type": "token", "token": "glpat-1"}),
            )
        },
        Sample {
            account: Some("monalisa"),
            host: Some("git.example.com"),
            ..sample(
                "gh",
                "hosts.yml",
                "git.example.com:\n    users:\n        monalisa:\n            oauth_token: gho_1\n    user: monalisa\n    oauth_token: gho_1\n    git_protocol: https\n",
                json!({"type": "token", "token": "gho_1"}),
            )
        },
        Sample {
            account: Some("monalisa"),
            host: Some("https://github.com"),
            ..sample(
                "copilot",
                "config.json",
                "// Mine.\n// Yours.\n{\"lastLoggedInUser\":{\"host\":\"https://github.com\",\"login\":\"monalisa\"},\"authTokens\":{\"https://github.com:monalisa\":{\"token\":\"gho_1\"},\"https://github.com:monalisa:github\":{\"token\":\"gho_1\"}}}",
                json!({"type": "token", "token": "gho_1"}),
            )
        },
    ]
}

#[test]
fn what_each_vendor_writes_is_read_by_the_bundled_descriptor() {
    let registry = Registry::bundled();
    for sample in samples() {
        let provider = registry.get(sample.provider).expect("bundled");
        let login = Login::with(sample.file, sample.text);
        let found = read(login.path(), &provider.capture, Owner::us()).expect("readable");
        let found = found.unwrap_or_else(|| panic!("{}: {} holds none", sample.provider, sample.file));
        let credential: Value = serde_json::from_slice(&found.credential.encode()).expect("JSON");
        assert_eq!(credential, sample.credential, "{}", sample.provider);
        let metadata = Metadata {
            account: sample.account.map(str::to_owned),
            host: sample.host.map(str::to_owned),
            scopes: sample.scopes.split_whitespace().map(str::to_owned).collect(),
            expires_at: sample.expires_at.map(|at| Timestamp::from_second(at).expect("a time")),
            ..Metadata::default()
        };
        let whole_seconds =
            found.metadata.expires_at.map(|at| Timestamp::from_second(at.as_second()).expect("a time"));
        assert_eq!(Metadata { expires_at: whole_seconds, ..found.metadata }, metadata, "{}", sample.provider);
    }
}

#[test]
fn every_bundled_capture_map_has_a_sample() {
    let registry = Registry::bundled();
    let maps =
        registry.iter().flat_map(|p| p.capture.iter().map(|entry| (p.name.clone(), entry.kind.to_string())));
    let kind = |sample: &Sample| sample.credential["type"].as_str().expect("a kind").to_owned();
    let have: BTreeSet<_> =
        samples().iter().map(|sample| (sample.provider.to_owned(), kind(sample))).collect();
    assert_eq!(maps.collect::<BTreeSet<_>>(), have);
}
