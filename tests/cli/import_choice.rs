//! `authenticate import`: which login of a tool's files is taken, and which is not.

use std::fs;

use authenticate::{
    Timestamp,
    credential::{Credential, Metadata},
};
use serde_json::{Value, json};
use test_support::{Home, code, json as parse};

fn entry(home: &Home, provider: &str) -> Value {
    home.authenticate(["status", provider, "--json"]).exits(code::DONE).json()["credentials"][0].clone()
}

fn stored(home: &Home, at: &str) -> Value {
    let all = home.stored();
    parse(&all.iter().find(|(address, _)| address == at).unwrap_or_else(|| panic!("no {at} in {all:?}")).1)
}

fn read(path: &std::path::Path) -> Value {
    parse(&fs::read_to_string(path).expect("read"))
}

#[test]
fn key_that_the_tool_uses_is_taken_and_old_tokens_stay() {
    let home = Home::new();
    let tokens = json!({"access_token": "at-old", "refresh_token": "rt-old", "id_token": "it-old"});
    let file = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-used", "tokens": tokens});
    let file = home.write(".codex/auth.json", &file.to_string());
    home.authenticate(["import", "codex", "--move"]).exits(code::DONE).says("stored api_key codex");
    assert_eq!(stored(&home, "default/codex/default")["key"], "sk-used");
    assert_eq!(read(&file), json!({"tokens": tokens}), "what was not stored is not removed");
}

#[test]
fn login_that_cannot_be_taken_is_told_with_the_reason() {
    let home = Home::new();
    home.write(".codex/auth.json", r#"{"auth_mode": "agentIdentity", "agent_identity": "e30.e30.s"}"#);
    home.authenticate(["import", "codex"])
        .exits(code::LOGIN_FAILED)
        .says("auth.json has a login that cannot be taken: it is an agent identity")
        .does_not_say("there is no login");
    home.write(".config/gh/hosts.yml", "github.com:\n  user: ann\n  users:\n    ann:\n");
    home.authenticate(["import", "gh"]).exits(code::LOGIN_FAILED).says("it is in the system's key ring");
    assert!(home.stored().is_empty());
}

#[test]
fn entry_of_another_provider_is_offered_and_stored_as_that_providers() {
    let home = Home::new();
    let file = home.write(
        ".local/share/opencode/auth.json",
        r#"{"anthropic": {"type": "api", "key": "sk-ant-CANARY"}, "openai": {"type": "oauth", "access": "at", "refresh": "rt",
            "expires": 4102444800000, "accountId": "acc"}, "mine": {"type": "api", "key": "k"}}"#,
    );
    home.authenticate(["import", "opencode", "--move"])
        .exits(code::LOGIN_FAILED)
        .says("auth.json has no such login, but others: anthropic, codex, mine")
        .says("--entry NAME");
    home.authenticate(["import", "opencode", "--entry", "mine"])
        .exits(code::USAGE)
        .says("unknown provider \"mine\"");
    assert!(home.stored().is_empty());
    home.authenticate(["import", "opencode:work", "--entry", "anthropic"])
        .exits(code::DONE)
        .says("stored api_key anthropic:work");
    home.authenticate(["import", "opencode", "--entry", "codex"])
        .exits(code::DONE)
        .says("stored oauth codex")
        .says("move it with: authenticate import default opencode --entry codex --move\n");
    home.authenticate(["import", "opencode", "--entry", "codex", "--move"]).exits(code::DONE);
    assert_eq!(stored(&home, "default/codex/default")["extra"]["account_id"], "acc");
    let status = entry(&home, "codex");
    assert_eq!((&status["owner"], &status["refreshable"]), (&json!("us"), &json!(true)));
    assert_eq!(read(&file).get("openai"), None);
    assert_eq!(read(&file)["anthropic"]["key"], "sk-ant-CANARY");
}

#[test]
fn one_of_several_hosts_and_accounts_can_be_named() {
    let home = Home::new();
    let hosts = "a.example:\n  user: ann\n  oauth_token: t-a\nb.example:\n  user: bob\n  oauth_token: t-b\n  users:\n    \
                 bob:\n      oauth_token: t-b\n    eve:\n      oauth_token: t-e\n";
    let file = home.write(".config/gh/hosts.yml", hosts);
    home.authenticate(["import", "gh"])
        .exits(code::LOGIN_FAILED)
        .says("hosts.yml holds several logins: ann at a.example, bob at b.example")
        .says("--host HOST");
    home.authenticate(["import", "gh", "--host", "c.example"]).exits(code::LOGIN_FAILED).says(
        "hosts.yml has no such login, but others: ann at a.example, bob at b.example, eve at b.example",
    );
    assert!(home.stored().is_empty());
    home.authenticate(["import", "gh", "--host", "b.example", "--move"])
        .exits(code::DONE)
        .says("stored token gh for bob");
    home.authenticate(["import", "gh:eve", "--entry", "eve"])
        .exits(code::DONE)
        .says("stored token gh:eve for eve");
    assert_eq!(stored(&home, "default/gh/eve")["token"], "t-e");
    let left = fs::read_to_string(file).expect("read");
    assert!(left.contains("t-a") && left.contains("t-e") && !left.contains("t-b"), "{left}");
}

fn claude(expires_at: &str) -> String {
    format!(
        r#"{{"claudeAiOauth": {{"accessToken": "at", "refreshToken": "rt", "expiresAt": {expires_at},
            "scopes": ["user:inference"], "subscriptionType": "max", "clientId": "c-1"}}, "mcpOAuth": {{}}}}"#
    )
}

#[test]
fn expired_login_does_not_replace_a_good_one() {
    let home = Home::new();
    home.write(".claude/.credentials.json", &claude("1600000000000"));
    home.authenticate(["import", "claude"])
        .exits(code::LOGIN_FAILED)
        .says("has expired (2020-09-13T12:26:40Z)")
        .says("take the login over with --move");
    assert!(home.stored().is_empty());
    let good = Metadata { expires_at: Timestamp::from_second(4_102_444_800).ok(), ..Metadata::default() };
    home.put("claude", &Credential::Token { token: "good".into() }, &good);
    home.authenticate(["import", "claude", "--move"])
        .exits(code::LOGIN_FAILED)
        .says("and the one stored as claude has not")
        .says("under another profile");
    assert_eq!(stored(&home, "default/claude/default")["token"], "good");
    // Once it is ours, we can have it refreshed.
    home.authenticate(["import", "claude:old", "--move"]).exits(code::DONE);
    assert_eq!(entry(&home, "claude:old")["refreshable"], true);
}

#[test]
fn unreadable_expiry_is_an_error() {
    let home = Home::new();
    for value in ["true", "-5", "\"soon\""] {
        home.write(".claude/.credentials.json", &claude(value));
        home.authenticate(["import", "claude"])
            .exits(code::LOGIN_FAILED)
            .says(".credentials.json has no readable time in expires_at");
    }
    assert!(home.stored().is_empty());
}

#[test]
fn account_and_plan_are_shown_and_the_rest_is_kept() {
    let home = Home::new();
    home.write(".claude/.credentials.json", &claude("4102444800000"));
    home.write(
        ".claude.json",
        r#"{"oauthAccount": {"emailAddress": "ann@example.com", "accountUuid": "u-1"}}"#,
    );
    home.authenticate(["import", "claude"]).exits(code::DONE).says("stored oauth claude for ann@example.com");
    home.authenticate(["status"]).exits(code::DONE).prints("ann@example.com (max)");
    assert_eq!(entry(&home, "claude")["plan"], "max");
    let extra = &stored(&home, "default/claude/default")["extra"];
    assert_eq!(parse(extra["login.kept"].as_str().expect("a text")), json!({"clientId": "c-1"}));
    // Elsewhere there is another account.
    home.write("other/.credentials.json", &claude("4102444800000"));
    let other = home.path().join("other");
    let run = home.authenticate(["import", "claude:other", "--json"]).env("CLAUDE_CONFIG_DIR", &other);
    assert_eq!(run.exits(code::DONE).json()["account"], Value::Null);
}

#[test]
fn directory_is_the_one_that_the_tool_would_use() {
    let home = Home::new();
    home.write(".config/gh/hosts.yml", "github.com:\n  user: stale\n  oauth_token: t-stale\n");
    home.write("xdg/gh/hosts.yml", "github.com:\n  user: live\n  oauth_token: t-live\n");
    home.write("own/hosts.yml", "github.com:\n  user: own\n  oauth_token: t-own\n");
    let (xdg, own) = (home.path().join("xdg"), home.path().join("own"));
    let moved = || home.authenticate(["import", "gh", "--move"]).env("XDG_CONFIG_HOME", &xdg);
    moved().env("GH_CONFIG_DIR", &own).exits(code::DONE).says("stored token gh for own");
    moved().exits(code::DONE).says("stored token gh for live");
    assert!(home.path().join(".config/gh/hosts.yml").exists());
    // The tool would not look in the next place, either.
    moved().env("GH_CONFIG_DIR", "").exits(code::LOGIN_FAILED).says("there is no login of gh in");
    moved()
        .env("GH_CONFIG_DIR", home.path().join("none"))
        .exits(code::USAGE)
        .says("none, which GH_CONFIG_DIR names");
    home.write("gemini/.gemini/oauth_creds.json", r#"{"access_token": "at"}"#);
    let run = home.authenticate(["import", "gemini"]).env("GEMINI_CLI_HOME", home.path().join("gemini"));
    run.exits(code::DONE).says("gemini/.gemini");
}

#[test]
fn lint_checks_what_decides_between_logins() {
    let home = Home::new();
    let lint = |capture: &str, rest: &str| {
        let entry = "file: a.json, format: json, kind: token, fields: {token: /t}";
        let text = format!("label: x\ncapture: [{{{entry}, {capture}}}]\n{rest}\n");
        let file = home.write("lint/acme.yaml", &text);
        home.authenticate(["providers", "lint", file.to_str().expect("text")]).ends()
    };
    let valid = lint("when: {/type: [x, null], /u: '*'}", "home_dir: [$ACME, $XDG_DATA_HOME/acme, ~/.acme]");
    assert_eq!(valid.code, Some(code::DONE.into()), "{valid:#?}");
    for (capture, rest, problem) in [
        ("when: {type: x}", "", "capture[0].when: a path starts with `/`"),
        ("when: {/x: 1}, defaults: {/x: 1}", "", "capture[0].defaults: a path is also in `when`"),
        ("active: {account: /u}", "", "no path has a `*`"),
        ("keep: /t", "", "capture[0].keep: needs the kind oauth"),
        ("when: {}", "home_dir: [$1, ~/.acme]", "home_dir"),
        ("when: {}", "home_dir: /etc", "home_dir"),
        ("when: {}", "home_files: {a.json: a.json}", "home_files.a.json"),
    ] {
        let found = lint(capture, rest);
        assert_eq!(found.code, Some(code::USAGE.into()), "{capture} {rest}: {found:#?}");
        assert!(format!("{found:?}").contains(problem), "{problem}: {found:#?}");
    }
}
