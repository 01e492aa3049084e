//! Bearer tokens, fields, and user with password.

use serde_json::{Value, json};
use test_support::{CANARY, Home, KEY, code, json as parse, pty::Session};

/// The credential at an address, in its stored form.
fn stored(home: &Home, address: &str) -> Value {
    let stored = home.stored();
    let found =
        stored.iter().find(|(at, _)| at == address).unwrap_or_else(|| panic!("no {address}: {stored:?}"));
    parse(&found.1)
}

fn expires_at(home: &Home, provider: &str) -> Value {
    let status = home.authenticate(["status", "--json"]).exits(code::DONE).json();
    let list = status["credentials"].as_array().expect("a list").clone();
    list.into_iter().find(|row| row["provider"] == provider).expect("a row")["expires_at"].clone()
}

#[test]
fn bearer_token_has_its_own_kind() {
    let home = Home::new();
    let outcome = home.authenticate(["demo", "anthropic", "--token-stdin"]).input(format!(" {KEY}\n"));
    outcome.exits(code::DONE).says("stored token anthropic").does_not_say(CANARY);
    assert_eq!(stored(&home, "default/anthropic/default"), json!({"type": "token", "token": KEY}));
    assert_eq!(expires_at(&home, "anthropic"), Value::Null);
    home.authenticate(["token", "demo", "anthropic"]).exits(code::DONE).prints(KEY);
    home.write("file", KEY);
    home.authenticate(["demo", "anthropic:b", "--token-file", "file"]).exits(code::DONE).does_not_say(CANARY);
    home.authenticate(["demo", "anthropic:c", "--token-env", "T"]).env("T", KEY).exits(code::DONE);
    assert_eq!(stored(&home, "default/anthropic/b"), stored(&home, "default/anthropic/c"));
}

#[test]
fn token_and_key_can_have_an_expiry() {
    let home = Home::new();
    home.authenticate(["demo", "anthropic", "--token-stdin", "--expires-at", "2130-01-31"])
        .input(KEY)
        .exits(code::DONE);
    assert_eq!(expires_at(&home, "anthropic"), "2130-01-31T00:00:00Z");
    home.authenticate(["demo", "openai", "--api-key-stdin", "--expires-in", "90d"])
        .input(KEY)
        .exits(code::DONE);
    let status = home.authenticate(["status"]).exits(code::DONE).stdout;
    assert!(status.contains("89 d"), "{status}");
}

#[test]
fn invalid_expiry_stores_nothing() {
    let home = Home::new();
    for (flag, text, says) in [
        ("--expires-in", "90", "write a number with a unit"),
        ("--expires-in", "-1h", "not in the future"),
        ("--expires-at", "2020-01-01", "not in the future"),
        ("--expires-at", "tomorrow", "write a date or a time"),
    ] {
        let arguments = ["demo", "claude", "--token-stdin", &format!("{flag}={text}")];
        home.authenticate(arguments).input(KEY).exits(code::USAGE).says(says).does_not_say(CANARY);
    }
    home.authenticate(["demo", "slack", "--mode", "fields", "--expires-in", "1h"])
        .exits(code::USAGE)
        .says("an expiry was given, which mode fields does not take");
    assert!(!home.database().exists());
}

#[test]
fn invalid_token_is_refused_and_not_repeated() {
    let home = Home::new();
    for bad in ["", " \n", "CANARY two", "CANARY\nCANARY"] {
        home.authenticate(["demo", "claude", "--token-stdin"])
            .input(bad)
            .exits(code::USAGE)
            .says("the token for claude is refused")
            .does_not_say(CANARY);
    }
    home.authenticate(["demo", "openai", "--token-stdin"])
        .input(KEY)
        .exits(code::USAGE)
        .says("openai has no mode token; it has api_key");
    home.authenticate(["demo", "claude", "--token-stdin", "--api-key-stdin"]).input(KEY).exits(code::USAGE);
    home.authenticate(["demo", "claude", "--mode", "api_key", "--token-stdin"])
        .input(KEY)
        .exits(code::USAGE)
        .says("a token was given, which mode api_key does not take");
    assert!(!home.database().exists());
}

#[test]
fn each_field_is_read_from_its_own_source() {
    let home = Home::new();
    home.write("app", "xapp-CANARY\n");
    home.authenticate(["demo", "slack", "--field", "bot_token=-", "--field-file", "app_token=app"])
        .input(" xoxb-CANARY \r\n")
        .exits(code::DONE)
        .says("stored fields slack")
        .says("use it with: authenticate token demo slack --field bot_token")
        .does_not_say(CANARY);
    let fields = json!({"app_token": "xapp-CANARY", "bot_token": " xoxb-CANARY "});
    assert_eq!(stored(&home, "default/slack/default"), json!({"type": "fields", "fields": fields}));
    home.authenticate(["demo", "email", "--field", "username=ann@example.com", "--field-env", "password=P"])
        .env("P", KEY)
        .exits(code::DONE)
        .does_not_say(CANARY);
    let fields = json!({"password": KEY, "username": "ann@example.com"});
    assert_eq!(stored(&home, "default/email/default"), json!({"type": "fields", "fields": fields}));
}

#[test]
fn all_fields_are_read_from_one_json_object() {
    let home = Home::new();
    let object = json!({"bot_token": KEY, "app_token": ""}).to_string();
    home.authenticate(["demo", "slack", "--fields-json-stdin"])
        .input(object)
        .exits(code::DONE)
        .does_not_say(CANARY);
    assert_eq!(stored(&home, "default/slack/default")["fields"], json!({"bot_token": KEY}));
}

#[test]
fn field_errors_name_fields_and_never_values() {
    let home = Home::new();
    let bad = |object: &str| {
        let outcome = home.authenticate(["demo", "slack", "--fields-json-stdin"]).input(object);
        outcome.exits(code::USAGE).does_not_say(CANARY).stderr.clone()
    };
    for (object, says) in [
        (r#"{"bot_token": "CANARY"}"#, "missing fields of slack: app_token"),
        (
            r#"{"bot_token": "CANARY", "app_tokn": "CANARY"}"#,
            "slack has no field \"app_tokn\"; it has bot_token, app_token",
        ),
        (r#"{"bot_token": ["CANARY"], "app_token": ""}"#, "field \"bot_token\" is not a string"),
        (r#"{"bot_token": "CANARY", "bot_token": "CANARY"}"#, "field \"bot_token\" is given twice"),
        (
            r#"{"bot_token": "CANARY\nx", "app_token": ""}"#,
            "field bot_token is refused: it has more than one line",
        ),
        (r#"{"bot_token": " ", "app_token": ""}"#, "every field of slack is blank"),
        (r#"["CANARY"]"#, "the fields are not one JSON object"),
        ("CANARY", "the fields are not one JSON object"),
    ] {
        let said = bad(object);
        assert!(said.contains(says), "{object}: {said}");
    }
    assert!(!home.database().exists());
}

#[test]
fn flag_errors_never_repeat_values() {
    let home = Home::new();
    let refused = |arguments: &[&str], says: &str| {
        let arguments = ["demo"].iter().chain(arguments);
        home.authenticate(arguments).input(KEY).exits(code::USAGE).says(says).does_not_say(CANARY);
    };
    refused(
        &["slack", "--field", "bot_token=CANARY"],
        "field bot_token is secret, and other users of this machine",
    );
    refused(&["slack", "--field", "CANARY"], "the argument of --field must be NAME=..");
    refused(&["slack", "--field", "xoxb-CANARY=x"], "the argument of --field must be NAME=..");
    refused(
        &["slack", "--field", "bot_token=-", "--field", "app_token=-"],
        "standard input can hold only one field",
    );
    refused(&["slack", "--field-file", "bot_token=/nonexistent/CANARY"], "cannot read field bot_token");
    refused(
        &["slack", "--field-env", "bot_token=CANARY"],
        "(redacted: it could be a key) of --field-env is not set",
    );
    refused(&["slack", "--field", "bot_token=-", "--field-env", "bot_token=HOME"], "given twice");
    refused(&["slack", "--field", "bot_token=-"], "missing fields of slack: app_token");
    refused(&["slack"], "missing fields of slack: bot_token, app_token");
    refused(&["openai", "--field", "key=-"], "openai has no mode fields; it has api_key");
    refused(&["slack", "--fields-json-stdin", "--field", "bot_token=-"], "cannot be used with");
    refused(&["slack", "--api-key-stdin"], "slack has no mode api_key; it has fields");
    assert!(!home.database().exists());
}

#[test]
fn fields_are_asked_for_at_a_terminal() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "email"], &[]);
    session.shows("User name for E-mail (press Enter to use EMAIL_USERNAME)");
    session.types("ann@example.com\r").shows("Password for E-mail").masks();
    session.types("CANARY\r");
    let shown = session.exits(code::DONE);
    assert!(shown.contains("ann@example.com") && !shown.contains(CANARY), "{shown:?}");
    let fields = json!({"password": "CANARY", "username": "ann@example.com"});
    assert_eq!(stored(&home, "default/email/default")["fields"], fields);
}

#[test]
fn blank_field_is_filled_from_its_variable() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "slack"], &[("SLACK_APP_TOKEN", "xapp-CANARY")]);
    session.shows("Bot token for Slack").masks();
    session.types("xoxb-1\r").shows("App token for Slack (press Enter to use SLACK_APP_TOKEN)").masks();
    session.types("\r");
    session.exits(code::DONE);
    // It is taken from there when it is used, and is stored nowhere.
    assert_eq!(stored(&home, "default/slack/default")["fields"], json!({"bot_token": "xoxb-1"}));
    let app = || home.authenticate(["token", "demo", "slack", "--field", "app_token"]);
    assert_eq!(app().env("SLACK_APP_TOKEN", "xapp-2").exits(code::DONE).stdout, "xapp-2\n");
    app()
        .exits(code::NO_CREDENTIAL)
        .says("field app_token of slack is blank, and SLACK_APP_TOKEN is not set");
    // A stored field is not overridden.
    let bot = home.authenticate(["token", "demo", "slack", "--field", "bot_token"]);
    assert_eq!(bot.env("SLACK_BOT_TOKEN", "other").exits(code::DONE).stdout, "xoxb-1\n");
    assert_eq!(stored(&home, "default/slack/default")["fields"], json!({"bot_token": "xoxb-1"}));
}

#[test]
fn interrupted_question_stores_nothing() {
    let home = Home::new();
    let mut session = Session::start(&home, ["demo", "slack"], &[]);
    session.shows("Bot token for Slack").masks();
    session.types("xoxb-1\r").shows("App token for Slack").masks();
    session.types("\x03");
    session.exits(code::INTERRUPTED);
    assert!(!home.database().exists());
}

#[test]
fn fields_from_the_environment_alone_are_enough() {
    let home = Home::new();
    let all = home.authenticate(["token", "demo", "slack", "--json"]).env("SLACK_BOT_TOKEN", KEY);
    let all = all.exits(code::DONE).json();
    assert_eq!((&all["kind"], &all["source"]), (&json!("fields"), &json!("env")));
    assert_eq!(all["variable"], "SLACK_BOT_TOKEN");
    let bot = json!({"name": "bot_token", "value": KEY, "source": "env", "variable": "SLACK_BOT_TOKEN"});
    let app = json!({"name": "app_token", "value": null, "source": null, "variable": "SLACK_APP_TOKEN"});
    assert_eq!(all["fields"], json!([bot, app]));
    let telegram = home.authenticate(["token", "demo", "telegram"]).env("TELEGRAM_BOT_TOKEN", KEY);
    assert_eq!(telegram.exits(code::DONE).stdout, format!("{KEY}\n"));
    home.authenticate(["token", "demo", "telegram"]).exits(code::NO_CREDENTIAL);
    assert!(!home.database().exists());
}

#[test]
fn channel_providers_have_their_fields() {
    let home = Home::new();
    for (provider, fields) in [
        ("telegram", &["bot_token"][..]),
        ("discord", &["bot_token"]),
        ("slack", &["bot_token", "app_token"]),
        ("twitch", &["token"]),
        ("email", &["username", "password"]),
    ] {
        let show = home.authenticate(["providers", "show", provider, "--json"]).exits(code::DONE).json();
        let descriptor = &show["provider"];
        assert_eq!(descriptor["modes"], json!(["fields"]), "{provider}");
        let has: Vec<_> = descriptor["fields"].as_object().expect("fields").keys().cloned().collect();
        assert_eq!(has, fields, "{provider}");
    }
}

const BASIC: &str = "modes: [basic]\nfields:\n  password: {label: App password, env_var: ACME_PASSWORD}\n";

#[test]
fn user_and_password_are_two_fields() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", BASIC);
    home.authenticate(["demo", "acme", "--field", "username=ann", "--field", "password=-"])
        .input("CANARY \n")
        .exits(code::DONE)
        .says("stored basic acme")
        .does_not_say(CANARY);
    let basic = json!({"type": "basic", "username": "ann", "password": "CANARY "});
    assert_eq!(stored(&home, "default/acme/default"), basic);
    let user = home.authenticate(["token", "demo", "acme", "--field", "username"]).exits(code::DONE);
    assert_eq!(user.stdout, "ann\n");
    home.authenticate(["demo", "acme", "--field", "username=a:b", "--field", "password="])
        .exits(code::USAGE)
        .says("field username is refused: a user name has no colon");
    home.authenticate(["demo", "acme", "--field", "username=", "--field", "password="])
        .exits(code::USAGE)
        .says("field username is refused: it is blank, and no variable could fill it");
}

#[test]
fn blank_password_is_filled_from_its_variable_or_reported() {
    let home = Home::new();
    home.write("config/providers/acme.yaml", BASIC);
    home.authenticate(["demo", "acme", "--field", "username=ann", "--field", "password="]).exits(code::DONE);
    let password = || home.authenticate(["token", "demo", "acme", "--field", "password"]);
    assert_eq!(password().env("ACME_PASSWORD", KEY).exits(code::DONE).stdout, format!("{KEY}\n"));
    password()
        .exits(code::NO_CREDENTIAL)
        .says("set ACME_PASSWORD, or log in again with: authenticate demo acme");
}

#[test]
fn lint_finds_wrong_fields_of_a_descriptor() {
    let home = Home::new();
    let lint = |text: &str, says: &str| {
        let file = home.write("acme.yaml", text);
        let outcome = home.authenticate(["providers", "lint", file.to_str().unwrap()]).exits(code::USAGE);
        assert!(outcome.all().contains(says), "{outcome:#?}");
    };
    lint("modes: [fields]\nfields: {Bot: {label: Bot}}\n", "\"Bot\" is not a field's name");
    lint("modes: [fields]\nfields: {a: {label: A}, a: {label: B}}\n", "the key \"a\" is given twice");
    lint(
        "modes: [fields]\nfields: {a: {label: A, env_var: X}, b: {label: B, env_var: X}}\n",
        "X already fills the field a",
    );
    lint("modes: [fields]\nfields: {a: {label: ' '}}\n", "fields.a.label: is empty");
    lint(
        "modes: [basic]\nfields: {user: {label: U}}\n",
        "has the fields username and password, and no others",
    );
    lint("modes: [basic]\nfields: {password: {label: P, secret: false}}\n", "a password is secret");
    lint("modes: [basic, fields]\nfields: {username: {label: U}}\n", "use one of basic and fields");
    lint(
        "modes: [fields]\nfields: {a: {label: A, env_var: 'X Y'}}\n",
        "not the name of an environment variable",
    );
}

#[test]
fn one_field_of_a_stored_credential_is_changed_alone() {
    let home = Home::new();
    let object = json!({"bot_token": "xoxb-1", "app_token": "xapp-1"}).to_string();
    home.authenticate(["demo", "slack", "--fields-json-stdin"]).input(object).exits(code::DONE);
    home.authenticate(["demo", "slack", "--field", "bot_token=-"]).input("xoxb-2\n").exits(code::DONE);
    let fields = json!({"bot_token": "xoxb-2", "app_token": "xapp-1"});
    assert_eq!(stored(&home, "default/slack/default")["fields"], fields);
    // A field that is read from its variable stays so.
    let blank = json!({"bot_token": "xoxb-1", "app_token": ""}).to_string();
    home.authenticate(["demo", "slack:b", "--fields-json-stdin"]).input(blank).exits(code::DONE);
    home.authenticate(["demo", "slack:b", "--field", "bot_token=-"]).input("xoxb-2\n").exits(code::DONE);
    assert_eq!(stored(&home, "default/slack/b")["fields"], json!({"bot_token": "xoxb-2"}));
}

#[test]
fn token_of_a_known_form_is_checked() {
    let home = Home::new();
    let token = format!("sk-ant-oat01-{}", "a1_-".repeat(20));
    for pasted in [token.clone(), format!("CLAUDE_CODE_OAUTH_TOKEN=\"{token}\"\n"), format!("Bearer {token}")]
    {
        home.authenticate(["demo", "claude", "--token-stdin"]).input(pasted).exits(code::DONE);
        assert_eq!(stored(&home, "default/claude/default"), json!({"type": "token", "token": token}));
    }
    for bad in [KEY, &token[..40]] {
        home.authenticate(["demo", "claude:b", "--token-stdin"])
            .input(bad)
            .exits(code::USAGE)
            .says("the token for claude is refused: it does not look like one")
            .says("--force");
    }
    home.authenticate(["demo", "claude:b", "--token-stdin", "--force"]).input(KEY).exits(code::DONE);
}
