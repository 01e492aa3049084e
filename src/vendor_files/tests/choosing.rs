//! Which login of a file is read, and what is kept beside it.

use super::*;
use crate::{
    credential::{OAuth, Secret},
    provider::Registry,
};

/// The capture map of a bundled descriptor.
fn bundled(provider: &str) -> Vec<CaptureEntry> {
    Registry::bundled().get(provider).expect("bundled").capture.clone()
}

impl Login {
    fn read_as(&self, provider: &str, choice: &Choice) -> Result<Option<Captured>, CaptureError> {
        read(self.path(), &bundled(provider), choice)
    }

    /// The secret that is read by default, or the error.
    fn secret(&self, provider: &str) -> Result<String, String> {
        self.secret_of(provider, &Choice::default())
    }

    fn secret_of(&self, provider: &str, choice: &Choice) -> Result<String, String> {
        let found = self.read_as(provider, choice).map_err(|error| error.to_string())?;
        let secret = found.and_then(|found| found.credential.usable().cloned());
        secret.map(|secret| secret.expose().to_owned()).ok_or_else(|| "none".to_owned())
    }
}

fn entry(name: &str) -> Choice {
    Choice { entry: Some(name.to_owned()), ..Choice::default() }
}

fn host(name: &str) -> Choice {
    Choice { host: Some(name.to_owned()), ..Choice::default() }
}

#[test]
fn codex_file_is_read_as_the_tool_reads_it() {
    let tokens = r#""tokens":{"access_token":"at","refresh_token":"rt","id_token":"it"}"#;
    let key = r#""OPENAI_API_KEY":"sk-1""#;
    for (text, expected) in [
        (format!(r#"{{"auth_mode":"apikey",{key},{tokens}}}"#), "sk-1"),
        (format!(r#"{{"auth_mode":"chatgpt",{key},{tokens}}}"#), "at"),
        (format!(r#"{{{key},{tokens}}}"#), "sk-1"),
        (format!(r#"{{"auth_mode":null,"OPENAI_API_KEY":null,{tokens}}}"#), "at"),
        (format!(r#"{{"auth_mode":"apikey",{tokens}}}"#), "none"),
        (
            format!(r#"{{"auth_mode":"agentIdentity","agent_identity":"x",{key},{tokens}}}"#),
            "auth.json has a login that cannot be taken: it is an agent identity, whose private key signs each request",
        ),
        (
            format!(r#"{{"personal_access_token":"at-1",{key},{tokens}}}"#),
            "auth.json has a login that cannot be taken: it is a personal access token, which Codex alone can use",
        ),
        (
            format!(r#"{{"auth_mode":"bedrockApiKey","bedrock_api_key":{{}},{tokens}}}"#),
            "auth.json has a login that cannot be taken: it is for Amazon Bedrock",
        ),
        (
            format!(r#"{{"auth_mode":"chatgptAuthTokens",{tokens}}}"#),
            "auth.json has a login that cannot be taken: another program gave the tokens to Codex, and renews them",
        ),
    ] {
        let read = Login::with("auth.json", &text).secret("codex");
        assert_eq!(read.unwrap_or_else(|error| error), expected, "{text}");
    }
}

#[test]
fn login_elsewhere_than_in_the_file_is_told() {
    let ring = "cannot be taken: it is in the system's key ring";
    let login = Login::with("config.toml", "cli_auth_credentials_store = \"keyring\"\n");
    login.put("auth.json", r#"{"OPENAI_API_KEY":"sk-stale"}"#);
    assert!(login.secret("codex").expect_err("in the key ring").contains(ring));
    let login =
        Login::with("config.json", "// x\n{\"lastLoggedInUser\":{\"host\":\"https://h\",\"login\":\"u\"}}");
    assert!(login.secret("copilot").expect_err("in the key ring").contains(ring));
    let login = Login::with("hosts.yml", "github.com:\n  user: u\n  users:\n    u:\n");
    assert!(login.secret("gh").expect_err("in the key ring").contains(ring));
    let login = Login::with("gemini-credentials.json", "00:11:22");
    assert!(
        login.secret("gemini").expect_err("encrypted").contains("it is encrypted for the Gemini CLI alone")
    );
    let login = Login::with("oauth_creds.json", r#"{"type":"service_account","access_token":"at"}"#);
    assert!(login.secret("gemini").expect_err("another").contains("it is a service account"));
    let login = Login::with("oauth_creds.json", r#"{"access_token":"at","refresh_token":"rt"}"#);
    assert!(login.secret("qwen").expect_err("over").contains("the vendor ended this login"));
    assert_eq!(Login::new().secret("gemini"), Err("none".to_owned()));
}

const OPENCODE: &str = r#"{"anthropic":{"type":"api","key":"sk-ant"},"openai":{"type":"oauth","access":"at","refresh":"rt",
    "expires":1800000000000,"accountId":"acc"},"https://x":{"type":"wellknown","key":"K","token":"t"}}"#;

#[test]
fn entry_of_another_provider_is_taken_for_that_one_only() {
    let login = Login::with("auth.json", OPENCODE);
    assert_eq!(
        login.secret("opencode"),
        Err("auth.json has no such login, but others: anthropic, codex".to_owned())
    );
    for (name, provider, secret) in [("anthropic", "anthropic", "sk-ant"), ("codex", "codex", "at")] {
        let found = login.read_as("opencode", &entry(name)).expect("readable").expect("a login");
        assert_eq!(found.provider.as_deref(), Some(provider));
        assert_eq!(found.credential.usable().map(Secret::expose), Some(secret));
    }
    let own = OPENCODE.replacen('{', r#"{"opencode":{"type":"api","key":"oc"},"#, 1);
    assert_eq!(Login::with("auth.json", &own).secret("opencode"), Ok("oc".to_owned()));
    // As in the tool, an entry of another type is none.
    let other = r#"{"opencode":{"type":"oauth","key":"oc","access":"at","refresh":"rt"}}"#;
    assert_eq!(Login::with("auth.json", other).secret("opencode"), Err("none".to_owned()));
}

#[test]
fn active_login_is_read_or_another_by_name() {
    let gh = "github.com:\n  users:\n    ann:\n      oauth_token: gho_ann\n    bob:\n      oauth_token: gho_bob\n  user: ann\n  \
              oauth_token: gho_ann\nghe.example:\n  user: ann\n  oauth_token: ghe_ann\n";
    let login = Login::with("hosts.yml", gh);
    assert_eq!(login.secret("gh"), Ok("gho_ann".to_owned()), "as `gh auth token`");
    assert_eq!(login.secret_of("gh", &host("ghe.example")), Ok("ghe_ann".to_owned()));
    assert_eq!(login.secret_of("gh", &entry("bob")), Ok("gho_bob".to_owned()));
    assert_eq!(login.secret_of("gh", &entry("github.com")), Ok("gho_ann".to_owned()));
    let error = login.secret_of("gh", &entry("eve")).expect_err("nobody");
    assert_eq!(
        error,
        "hosts.yml has no such login, but others: ann at ghe.example, ann at github.com, bob at github.com"
    );
    let login = Login::with("hosts.yml", "a.example:\n  oauth_token: a\nb.example:\n  oauth_token: b\n");
    assert_eq!(login.secret("gh"), Err("hosts.yml holds several logins: a.example, b.example".to_owned()));
    // The active one is in the key ring.
    let login = Login::with(
        "hosts.yml",
        "github.com:\n  users:\n    ann:\n    bob:\n      oauth_token: b\n  user: ann\n",
    );
    assert_eq!(
        login.secret("gh"),
        Err("hosts.yml has no such login, but others: bob at github.com".to_owned())
    );

    let copilot = r#"{"authTokens":{"http://127.0.0.1:9977:ann":{"token":"t-a"},"http://127.0.0.1:9977:ann:github":{"token":"t-a"},
        "https://github.com:bob":{"token":"t-b"}},"lastLoggedInUser":{"host":"http://127.0.0.1:9977","login":"ann"}}"#;
    let login = Login::with("config.json", copilot);
    let found = login.read_as("copilot", &Choice::default()).expect("readable").expect("a login");
    assert_eq!(found.credential.usable().map(Secret::expose), Some("t-a"));
    assert_eq!(found.metadata.account.as_deref(), Some("ann"));
    assert_eq!(found.metadata.host.as_deref(), Some("http://127.0.0.1:9977"));
    assert_eq!(login.secret_of("copilot", &entry("bob")), Ok("t-b".to_owned()));
    assert_eq!(login.secret_of("copilot", &host("github.com")), Ok("t-b".to_owned()));
}

#[test]
fn older_spellings_and_missing_refresh_tokens_are_read() {
    for (text, expiry) in [
        (r#"{"claudeAiOauth":{"accessToken":"at","refreshToken":null,"expiresAt":null}}"#, None),
        (r#"{"claudeAiOauth":{"access_token":"at","expires_at":1800000000}}"#, Some(1_800_000_000)),
        (r#"{"accessToken":"at","expiresAt":"2027-01-15T08:00:00Z"}"#, Some(1_800_000_000)),
    ] {
        let found = Login::with(".credentials.json", text).read_as("claude", &Choice::default());
        let found = found.expect("readable").expect("a login");
        let Credential::OAuth(OAuth { access_token, refresh_token, .. }) = &found.credential else {
            panic!("{:?}", found.credential.kind());
        };
        assert_eq!((access_token.expose(), refresh_token), ("at", &None), "{text}");
        assert_eq!(found.metadata.expires_at.map(|at| at.as_second()), expiry, "{text}");
    }
}

const CLAUDE: &str = r#"{"claudeAiOauth":{"accessToken":"at","refreshToken":"rt","expiresAt":1800000000000,"scopes":["a"],"subscriptionType":"max","clientId":"c-1","nested":{"n":[1,null]}},"mcpOAuth":{"x":1}}"#;

#[test]
fn account_is_read_from_another_file() {
    let login = Login::with(".credentials.json", CLAUDE);
    let account = |login: &Login| {
        let found = login.read_as("claude", &Choice::default()).expect("readable").expect("a login");
        (found.metadata.account, found.metadata.plan)
    };
    let plan = Some("max".to_owned());
    assert_eq!(account(&login), (None, plan.clone()));
    login.put(".claude.json", "{ half");
    assert_eq!(
        account(&login),
        (None, plan.clone()),
        "what only describes a login does not stand in its way"
    );
    // Years of use make it large.
    let history = "x".repeat(3 << 20);
    let account_file = format!(
        r#"{{"history":"{history}","oauthAccount":{{"emailAddress":"me@example.com","accountUuid":"u"}}}}"#
    );
    login.put(".claude.json", account_file);
    assert_eq!(account(&login), (Some("me@example.com".to_owned()), plan));
}

#[test]
fn what_the_map_does_not_name_comes_back() {
    let map = bundled("claude");
    let found = Login::with(".credentials.json", CLAUDE).read_as("claude", &Choice::default());
    let found = found.expect("readable").expect("a login");
    let new = Login::new();
    write(new.path(), &map, &BTreeMap::new(), &found.credential, &found.metadata).expect("written");
    let before: Value = serde_json::from_str(CLAUDE).expect("JSON");
    let after: Value = serde_json::from_str(&new.text(".credentials.json")).expect("JSON");
    assert_eq!(after["claudeAiOauth"], before["claudeAiOauth"]);
    assert_eq!(after.get("mcpOAuth"), None, "the secrets of others stay where they are");

    let login = Login::with(".credentials.json", CLAUDE);
    assert_eq!(remove(login.path(), &map, &found).expect("removed"), Removed::Fields);
    assert_eq!(login.text(".credentials.json"), r#"{"mcpOAuth":{"x":1}}"#);
}

#[test]
fn removal_spares_other_logins_with_the_same_key() {
    let text =
        r#"{"opencode":{"type":"api","key":"oc-12345678"},"opencode-go":{"type":"api","key":"oc-12345678"}}"#;
    let login = Login::with("auth.json", text);
    let found = login.read_as("opencode", &Choice::default()).expect("readable").expect("a login");
    assert_eq!(remove(login.path(), &bundled("opencode"), &found).expect("removed"), Removed::Fields);
    assert_eq!(login.text("auth.json"), r#"{"opencode-go":{"type":"api","key":"oc-12345678"}}"#);

    let gh = "github.com:\n  users:\n    ann:\n      oauth_token: gho_12345678\n    bob:\n      oauth_token: gho_b\n  user: ann\n  \
              oauth_token: gho_12345678\n";
    let login = Login::with("hosts.yml", gh);
    let found = login.read_as("gh", &Choice::default()).expect("readable").expect("a login");
    assert_eq!(remove(login.path(), &bundled("gh"), &found).expect("removed"), Removed::Fields);
    assert_eq!(login.text("hosts.yml"), "github.com:\n  users:\n    bob:\n      oauth_token: gho_b\n");
}
