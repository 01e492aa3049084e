//! The files, values and modes that a write produces.

use std::os::unix::fs::symlink;

use serde_json::json;

use super::{
    samples::{CODEX, GH},
    *,
};
use crate::{
    credential::{Kind, OAuth, Secret},
    vendor_files::Refusal,
};

fn token(host: Option<&str>) -> Captured {
    let mut captured = super::captured(Credential::Token { token: "T".into() });
    captured.metadata.host = host.map(str::to_owned);
    captured
}

fn oauth(refresh_token: Option<&str>) -> Credential {
    Credential::OAuth(OAuth {
        access_token: "A".into(),
        refresh_token: refresh_token.map(Secret::from),
        id_token: Some("I".into()),
        extra: BTreeMap::new(),
    })
}

#[test]
fn write_uses_the_entry_of_the_credentials_kind() {
    let login = Login::new();
    login.write(CODEX, &super::captured(Credential::api_key("sk"))).expect("written");
    let value: Value = serde_json::from_str(&login.text("auth.json")).expect("JSON");
    assert_eq!(value, json!({"OPENAI_API_KEY": "sk", "auth_mode": "apikey"}));
    let error = login.write(CODEX, &token(None)).expect_err("no entry");
    assert!(matches!(error, CaptureError::NoEntry(Kind::Token)));
}

#[test]
fn write_refuses_a_credential_without_a_required_part() {
    let login = Login::new();
    let error = login.write(CODEX, &super::captured(oauth(None))).expect_err("incomplete");
    assert_eq!(error.to_string(), "cannot write auth.json: the credential has no refresh_token");
    assert_eq!(login.files(), [""; 0]);
}

#[test]
fn star_is_the_credentials_host_or_the_only_login_of_the_file() {
    let two = "a.host:\n  oauth_token: old\nb.host:\n  oauth_token: old\n";
    let login = Login::with("hosts.yml", two);
    login.write(GH, &token(Some("b.host"))).expect("written");
    assert!(login.text("hosts.yml").contains("a.host:\n  oauth_token: old\nb.host:\n  oauth_token: T\n"));
    assert!(matches!(login.write(GH, &token(None)), Err(CaptureError::Ambiguous { .. })));

    let login = Login::with("hosts.yml", "a.host:\n  oauth_token: old\nb.host:\n  user: u\n");
    login.write(GH, &token(None)).expect("written");
    assert!(login.text("hosts.yml").contains("a.host:\n  oauth_token: T\n"));

    let error = Login::new().write(GH, &token(None)).expect_err("no host");
    assert_eq!(error.to_string(), "cannot write hosts.yml: the credential has no host");
}

#[test]
fn write_merges_the_state_into_its_files() {
    let map = "[{file: .credentials.json, format: json, kind: token, fields: {token: /t}}]";
    let login = Login::with(".claude.json", r#"{"projects":{"x":{"n":1}},"hasCompletedOnboarding":false}"#);
    let state = BTreeMap::from([
        (".claude.json".to_owned(), json!({"hasCompletedOnboarding": true, "projects": {"y": {}, "x": {}}})),
        (".credentials.json".to_owned(), json!({"v": 2})),
        ("new/settings.toml".to_owned(), json!({"ui": {"theme": "dark", "sizes": [1, 2.5]}})),
        ("new/.env".to_owned(), json!({"QUIET": true, "LEVEL": 3})),
    ]);
    login.write_with(map, &state, &token(None).credential, &Metadata::default()).expect("written");
    assert_eq!(
        login.text(".claude.json"),
        r#"{"projects":{"x":{"n":1},"y":{}},"hasCompletedOnboarding":true}"#
    );
    assert_eq!(login.text(".credentials.json"), "{\n  \"t\": \"T\",\n  \"v\": 2\n}\n");
    assert_eq!(login.text("new/settings.toml"), "[ui]\ntheme = \"dark\"\nsizes = [1, 2.5]\n");
    assert_eq!(login.text("new/.env"), "QUIET=true\nLEVEL=3\n");
    for file in ["new/.env", "new/settings.toml", ".claude.json"] {
        assert_eq!(login.mode(file), 0o600, "{file}");
    }
    assert_eq!(login.mode("new"), 0o700);
}

#[test]
fn write_never_widens_a_mode() {
    for (before, after) in [(0o644, 0o600), (0o600, 0o600), (0o400, 0o400), (0o4777, 0o600)] {
        let login = Login::with("hosts.yml", "");
        let path = login.path().join("hosts.yml");
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).expect("mode");
        login.write(GH, &token(Some("h"))).expect("written");
        assert_eq!(login.mode("hosts.yml"), after, "{before:o}");
    }
}

#[test]
fn write_changes_no_file_if_one_is_refused() {
    let map = "[{file: sub/a.json, format: json, kind: token, fields: {token: /t}}]";
    let (login, outside) = (Login::new(), Login::with("b.json", "{}"));
    symlink(outside.path().join("b.json"), login.path().join("z.json")).expect("link");
    let state = BTreeMap::from([("z.json".to_owned(), json!({"x": 1}))]);
    let error = login.write_with(map, &state, &token(None).credential, &Metadata::default());
    assert!(matches!(error, Err(CaptureError::Refused { problem: Refusal::Link, .. })));
    assert_eq!(login.files(), ["z.json"]);
    assert_eq!(outside.text("b.json"), "{}");
}

#[test]
fn write_replaces_the_file_atomically() {
    let login = Login::with("hosts.yml", "");
    let mut old = fs::File::open(login.path().join("hosts.yml")).expect("file");
    login.write(GH, &token(Some("h"))).expect("written");
    let mut seen = String::new();
    std::io::Read::read_to_string(&mut old, &mut seen).expect("read");
    assert_eq!(seen, "", "the old file is unchanged");
    assert_eq!(login.files(), ["hosts.yml"]);
}

#[test]
fn unknown_expiry_in_a_required_field_is_written_as_zero_and_read_as_unknown() {
    let map = "
- file: a
  format: json
  kind: oauth
  fields:
    access_token: /t
    expires_at: {path: /e, as: unix_millis}
    scopes: {path: /s, as: space_separated}
    account: {path: /u, optional: true}
";
    let login = Login::with("a", r#"{"t":"old","e":1800000000000,"s":"old","u":"old"}"#);
    login.write(map, &super::captured(oauth(None))).expect("written");
    assert_eq!(login.text("a"), r#"{"t":"A","e":0,"s":""}"#);
    assert_eq!(login.captured(map).metadata, Metadata::default());
}
