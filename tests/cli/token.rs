//! `authenticate token`

use std::collections::BTreeMap;

use authenticate::credential::{Credential, Metadata, OAuth};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_support::{CANARY, Home, KEY, code};

fn oauth() -> Credential {
    Credential::OAuth(OAuth {
        access_token: KEY.into(),
        refresh_token: Some("refresh-me".into()),
        id_token: None,
        extra: BTreeMap::new(),
    })
}

fn expiring(from_now: SignedDuration) -> Metadata {
    Metadata { expires_at: Some(Timestamp::now() + from_now), ..Metadata::default() }
}

#[test]
fn token_prints_only_the_secret_and_a_newline() {
    let home = Home::new();
    home.stores("openai", KEY);
    let outcome = home.authenticate(["token", "demo", "openai"]).exits(code::DONE);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (&*format!("{KEY}\n"), ""));
}

#[test]
fn each_kind_prints_the_value_that_authorizes() {
    let home = Home::new();
    home.put("claude", &oauth(), &expiring(SignedDuration::from_hours(1)));
    home.put("gh", &Credential::Token { token: KEY.into() }, &Metadata::default());
    home.put(
        "email",
        &Credential::Basic { username: "ann".into(), password: KEY.into() },
        &Metadata::default(),
    );
    let fields = Credential::Fields([("bot_token".to_owned(), KEY.into())].into());
    home.put("telegram", &fields, &Metadata::default());
    for provider in ["claude", "gh", "email", "telegram"] {
        let outcome = home.authenticate(["token", "demo", provider]).exits(code::DONE);
        assert_eq!(outcome.stdout, format!("{KEY}\n"), "{provider}");
    }
}

#[test]
fn several_fields_need_a_named_field() {
    let home = Home::new();
    let fields = [("bot_token", KEY), ("app_token", "other")];
    let fields = Credential::Fields(fields.map(|(name, value)| (name.to_owned(), value.into())).into());
    home.put("slack", &fields, &Metadata::default());
    home.authenticate(["token", "demo", "slack"])
        .exits(code::USAGE)
        .says("slack has several fields: bot_token, app_token")
        .says("--field bot_token")
        .does_not_say(CANARY);
    let field = |name: &str| home.authenticate(["token", "demo", "slack", "--field", name]);
    assert_eq!(field("bot_token").exits(code::DONE).stdout, format!("{KEY}\n"));
    assert_eq!(field("app_token").exits(code::DONE).stdout, "other\n");
    field("bot").exits(code::USAGE).says("slack has no field \"bot\"; it has bot_token, app_token");
    let all = home.authenticate(["token", "demo", "slack", "--json"]).exits(code::DONE).json();
    assert_eq!(all["token"], json!(null));
    let bot = json!({"name": "bot_token", "value": KEY, "source": "stored", "variable": "SLACK_BOT_TOKEN"});
    let app =
        json!({"name": "app_token", "value": "other", "source": "stored", "variable": "SLACK_APP_TOKEN"});
    assert_eq!(all["fields"], json!([bot, app]));
    let one = home.authenticate(["token", "demo", "slack", "--json", "--field", "bot_token"]);
    let one = one.exits(code::DONE).json();
    assert_eq!((&one["token"], &one["fields"]), (&json!(KEY), &json!([bot])));
}

#[test]
fn field_of_a_credential_without_fields_is_refused() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["token", "demo", "openai", "--field", "key"])
        .exits(code::USAGE)
        .says("openai has no field \"key\"")
        .does_not_say(CANARY);
}

#[test]
fn missing_credential_exits_with_code_3_and_a_login_hint() {
    let home = Home::new();
    home.authenticate(["token", "demo", "openai"])
        .exits(code::NO_CREDENTIAL)
        .says("error: no credential for openai")
        .says("hint: log in with: authenticate demo openai");
    assert!(!home.data().exists());
}

#[test]
fn expired_credential_exits_with_code_3() {
    let home = Home::new();
    home.put("gh", &Credential::Token { token: KEY.into() }, &expiring(SignedDuration::from_mins(-90)));
    home.authenticate(["token", "demo", "gh"])
        .exits(code::NO_CREDENTIAL)
        .says("the credential for gh expired ")
        .says("ago")
        .says("hint: log in again with: authenticate demo gh")
        .does_not_say(CANARY);
    home.authenticate(["token", "demo", "gh", "--json"]).exits(code::NO_CREDENTIAL).does_not_say(CANARY);
    home.authenticate(["token", "status", "gh"])
        .exits(code::NO_CREDENTIAL)
        .says("authenticate login status gh");
}

/// This login is refreshed by its vendor's CLI, for which there is no engine here.
#[test]
fn expired_credential_that_cannot_be_refreshed_reports_why() {
    let home = Home::new();
    home.put("claude", &oauth(), &expiring(SignedDuration::from_mins(-90)));
    home.authenticate(["token", "demo", "claude"])
        .exits(code::ENGINE)
        .says("error: could not refresh claude now: no container engine answered")
        .does_not_say(CANARY);
    home.put("claude", &oauth(), &expiring(SignedDuration::from_mins(4)));
    // As if it had lived for hours.
    let database = rusqlite::Connection::open(home.database()).expect("opened");
    database.execute("UPDATE credential SET updated_at = updated_at - 36000000", []).expect("aged");
    drop(database);
    let used = home.authenticate(["token", "demo", "claude"]).exits(code::DONE);
    used.prints(KEY);
    let said =
        "warning: using the current token until it expires: could not refresh claude now: no container";
    assert!(used.stderr.contains(said), "{used:#?}");
}

/// The command in the hint stores the credential that was asked for.
#[test]
fn login_hint_keeps_the_set_and_the_profile() {
    let home = Home::new();
    home.authenticate(["token", "demo", "openai:work", "--set", "team"])
        .exits(code::NO_CREDENTIAL)
        .says("authenticate demo openai:work --set team");
    // The project's own set needs no flag.
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.authenticate(["token", "shop", "openai"]).exits(code::NO_CREDENTIAL).does_not_say("--set");
}

#[test]
fn json_has_the_secret_and_its_metadata() {
    let home = Home::new();
    let metadata = Metadata { host: Some("ghe.example.com".into()), ..Metadata::default() };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    let token = home.authenticate(["token", "demo", "gh", "--json"]).exits(code::DONE).json();
    assert_eq!(token["token"], KEY);
    assert_eq!(token["host"], "ghe.example.com");
    assert_eq!(token["source"], "stored");
}

#[test]
fn environment_is_used_if_nothing_is_stored() {
    let home = Home::new();
    let other = "sk-from-the-environment-0123456789";
    let token =
        |target: &str| home.authenticate(["token", "demo", target]).env("OPENAI_API_KEY", other).ends();
    assert_eq!(token("openai").stdout, format!("{other}\n"));
    // A profile is one that was stored; the environment has none.
    assert_eq!(token("openai:work").code, Some(code::NO_CREDENTIAL.into()));
    home.stores("openai", KEY);
    assert_eq!(token("openai").stdout, format!("{KEY}\n"));
}

#[test]
fn invalid_variable_is_named_and_its_value_not_repeated() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let home = Home::new();
    let cases: [(&[u8], &str); 5] = [
        (b"sk-CANARY\x1b[2J", "it contains control characters"),
        (b"sk-CANARY\nsk-CANARY", "it has more than one line"),
        (b"sk-CANARY\xe2\x80\xae", "it contains characters that cannot be seen"),
        (b"sk-CANARY\xff", "it is not text"),
        (b"sk-CANARY two", "it contains spaces"),
    ];
    for (value, why) in cases {
        home.authenticate(["token", "demo", "openai"])
            .env("OPENAI_API_KEY", OsStr::from_bytes(value))
            .exits(code::NO_CREDENTIAL)
            .says(&format!("the environment variable OPENAI_API_KEY holds no credential: {why}"))
            .does_not_say("CANARY");
    }
}

#[test]
fn key_is_found_in_what_surrounds_it_in_a_variable() {
    let home = Home::new();
    for value in ["\"gk-1\"", "Bearer gk-1", "GROQ_API_KEY='gk-1'", " gk-1\n"] {
        let token = home.authenticate(["token", "demo", "groq"]).env("GROQ_API_KEY", value).exits(code::DONE);
        assert_eq!(token.stdout, "gk-1\n", "{value}");
        let given = home.authenticate(["token", "demo", "groq", "--token-env", "T"]).env("T", value);
        assert_eq!(given.exits(code::DONE).stdout, "gk-1\n", "{value}");
    }
    let blank = home.authenticate(["token", "demo", "groq"]).env("GROQ_API_KEY", "\"\"");
    blank.exits(code::NO_CREDENTIAL).says("no credential for groq");
}

#[test]
fn variable_named_after_an_alias_is_found() {
    let home = Home::new();
    for (typed, variable) in [
        ("kimi", "KIMI_API_KEY"),
        ("moonshot", "KIMI_API_KEY"),
        ("amazon-bedrock", "BEDROCK_API_KEY"),
        ("z.ai", "Z_AI_API_KEY"),
    ] {
        let token = home.authenticate(["token", "demo", typed]).env(variable, KEY).exits(code::DONE);
        assert_eq!(token.stdout, format!("{KEY}\n"), "{typed}");
    }
    let own = home
        .authenticate(["token", "demo", "moonshot"])
        .env("KIMI_API_KEY", "k")
        .env("MOONSHOT_API_KEY", KEY);
    assert_eq!(own.exits(code::DONE).stdout, format!("{KEY}\n"));
}

#[test]
fn variable_for_a_key_is_none_of_a_channel() {
    let home = Home::new();
    home.authenticate(["token", "demo", "slack"]).env("SLACK_API_KEY", KEY).exits(code::NO_CREDENTIAL);
    let status = home.authenticate(["status", "--json"]).env("SLACK_API_KEY", KEY).exits(code::DONE);
    status.does_not_say("slack");
}
