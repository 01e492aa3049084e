//! Removal of a login from the vendor's files.

use super::{
    samples::{CODEX, GH},
    *,
};

fn remove_captured(login: &Login, map: &str) -> Removed {
    remove(login.path(), &entries(map), &login.captured(map)).expect("removed")
}

/// The text of a file after its token was removed; `None` if the file is removed.
fn after_removal(format: &str, text: &str, fields: &str) -> Option<String> {
    let map =
        format!("[{{file: a, format: {format}, kind: token, fields: {fields}, defaults: {{/auto: 1}}}}]");
    let login = Login::with("a", text);
    match remove_captured(&login, &map) {
        Removed::File => {
            assert!(login.files().is_empty());
            None
        }
        Removed::Fields => {
            assert!(login.has_no_login(&map), "the login is still there");
            Some(login.text("a"))
        }
    }
}

impl Login {
    fn has_no_login(&self, map: &str) -> bool {
        matches!(self.read(map), Ok(None))
    }
}

#[test]
fn remove_deletes_a_file_that_holds_nothing_else() {
    assert_eq!(after_removal("json", r#"{"a": {"t": "secret-1"}}"#, "{token: /a/t}"), None);
    assert_eq!(
        after_removal("json", r#"{"a": {"t": "secret-1", "n": null}, "auto": 1}"#, "{token: /a/t}"),
        None
    );
    assert_eq!(
        after_removal("yaml", "h:\n  t: secret-1\n", "{token: /*/t, host: {path: /*, as: key}}"),
        None
    );
    assert_eq!(after_removal("dotenv", "T=secret-1\n", "{token: /T}"), None);
}

#[test]
fn remove_keeps_everything_else() {
    let text = r#"{"t": "secret-1", "exp": "2030-01-01T00:00:00Z", "auto": 2, "b": {"c": []}}"#;
    let fields = "{token: /t, expires_at: {path: /exp, as: rfc3339}}";
    assert_eq!(after_removal("json", text, fields).as_deref(), Some(r#"{"auto":2,"b":{"c":[]}}"#));
    assert_eq!(
        after_removal("toml", "# kept\na = 1 # too\nt = \"secret-1\"\n", "{token: /t}").as_deref(),
        Some("# kept\na = 1 # too\n")
    );
    assert_eq!(
        after_removal("dotenv", "# kept\nA=b\nexport T='secret-1'\n", "{token: /T}").as_deref(),
        Some("# kept\nA=b\n")
    );
    assert_eq!(
        after_removal("yaml", "h:\n  t: secret-1\n  p: https\n", "{token: /*/t}").as_deref(),
        Some("h:\n  p: https\n")
    );
}

#[test]
fn remove_also_removes_copies_of_the_secret() {
    let login = Login::with(
        "hosts.yml",
        "github.com:\n  users:\n    ann:\n      oauth_token: gho_CANARY\n  user: ann\n  oauth_token: gho_CANARY\n  \
         git_protocol: ssh\n",
    );
    assert_eq!(remove_captured(&login, GH), Removed::Fields);
    assert_eq!(login.text("hosts.yml"), "github.com:\n  git_protocol: ssh\n");
    // A secret inside another value cannot be removed, so nothing is changed.
    let text = r#"{"t": "secret-12", "header": "Bearer secret-12"}"#;
    let login = Login::with("a", text);
    let map = "[{file: a, format: json, kind: token, fields: {token: /t}}]";
    let refused = remove(login.path(), &entries(map), &login.captured(map)).expect_err("refused");
    assert!(refused.to_string().contains("other values contain its secret"), "{refused}");
    assert_eq!(login.text("a"), text);
}

#[test]
fn remove_keeps_another_credential_in_the_same_file() {
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjE5MDAwMDAwMDAsImVtYWlsIjoiYSJ9.x";
    let text = format!(
        r#"{{"OPENAI_API_KEY": "sk-1", "auth_mode": "chatgpt", "tokens": {{"access_token": "{jwt}", "refresh_token": "rt-12345678", "id_token": "{jwt}.no"}}, "last_refresh": "x"}}"#
    )
    .replace(&format!("{jwt}.no"), &format!("{jwt}2"));
    let login = Login::with("auth.json", text);
    let map = CODEX.replace("      plan: {path: /tokens/id_token, as: jwt_claim, claim: '/https:~1~1api.openai.com~1auth/chatgpt_plan_type'}\n", "");
    let removed = remove(login.path(), &entries(&map), &login.captured(&map));
    assert_eq!(removed.expect("removed"), Removed::Fields);
    // Without the mode the tool takes the key.
    assert_eq!(login.text("auth.json"), r#"{"OPENAI_API_KEY":"sk-1"}"#);
}

#[test]
fn remove_refuses_a_file_that_has_changed_since_it_was_read() {
    let login = Login::with("hosts.yml", "github.com:\n  oauth_token: gho_1\n");
    let captured = login.captured(GH);
    let refreshed = "github.com:\n  oauth_token: gho_2\n";
    login.put("hosts.yml", refreshed);
    let refused = remove(login.path(), &entries(GH), &captured).expect_err("refused");
    assert!(matches!(refused, CaptureError::Changed { .. }), "{refused}");
    assert_eq!(login.text("hosts.yml"), refreshed);
}

#[test]
fn remove_refuses_a_directory_that_others_can_write_to() {
    let login = Login::with("hosts.yml", "github.com:\n  oauth_token: gho_1\n");
    let captured = login.captured(GH);
    fs::set_permissions(login.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    let refused = remove(login.path(), &entries(GH), &captured).expect_err("refused");
    assert!(refused.to_string().contains("can be written by others"), "{refused}");
    assert!(login.path().join("hosts.yml").exists());
}
