//! `authenticate status`

use authenticate::{
    credential::{Address, Credential, Metadata, OAuth},
    store::{AttemptState, KeySource, Place, Store},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::{CANARY, Home, KEY, code, tty::OnTerminal};

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn in_hours(hours: i64) -> Metadata {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    Metadata { expires_at: Some(at), ..Metadata::default() }
}

#[test]
fn status_creates_no_store() {
    let home = Home::new();
    home.authenticate(["status"]).exits(code::DONE).says("nothing is stored");
    let status = home.authenticate(["status", "--json"]).exits(code::DONE).json();
    assert_eq!(status["credentials"], json!([]));
    assert!(!home.data().exists());
}

#[test]
fn each_credential_has_one_line() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.authenticate(["demo", "openai:work", "--set", "team", "--api-key-stdin"])
        .input(KEY)
        .exits(code::DONE);
    let metadata = Metadata {
        account: Some("ann@example.com".into()),
        host: Some("ghe.example.com".into()),
        ..in_hours(5)
    };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    home.put("claude", &Credential::Token { token: KEY.into() }, &in_hours(-1));
    let outcome = home.authenticate(["status"]).exits(code::DONE);
    let lines: Vec<_> = outcome.stdout.lines().map(words).collect();
    assert_eq!(
        lines[0],
        ["PROVIDER", "LABEL", "SET", "PROFILE", "KIND", "ACCOUNT", "STATE", "EXPIRES", "REFRESH", "SOURCE"]
    );
    assert_eq!(lines[1][..7], ["claude", "Claude", "Code", "default", "default", "token", "-"]);
    assert_eq!(lines[1][7..], ["expired", "60", "min", "ago", "no", "stored"]);
    assert_eq!(lines[2][..6], ["gh", "GitHub", "CLI", "default", "default", "token"]);
    assert_eq!(lines[2][6..10], ["ann@example.com", "at", "ghe.example.com", "ok"]);
    assert_eq!(lines[2][10..], ["in", "4", "h", "no", "stored"]);
    let key = |set, profile| ["openai", "OpenAI", set, profile, "api_key", "-", "ok", "-", "no", "stored"];
    assert_eq!(lines[3], key("default", "default"));
    assert_eq!(lines[4], key("team", "work"));
    assert_eq!(lines.len(), 5);
    outcome.does_not_say(CANARY);
}

#[test]
fn json_has_all_metadata_and_no_secret() {
    let home = Home::new();
    home.stores("openai", KEY);
    let metadata = Metadata { scopes: vec!["repo".into(), "gist".into()], ..in_hours(-1) };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    let outcome = home.authenticate(["status", "--json"]).exits(code::DONE);
    let status = outcome.json();
    let gh = &status["credentials"][0];
    assert_eq!(gh["provider"], "gh");
    assert_eq!(gh["scopes"], json!(["repo", "gist"]));
    assert_eq!(gh["expired"], true);
    let at: Timestamp = gh["expires_at"].as_str().expect("a time").parse().expect("a time");
    assert!(at < Timestamp::now());
    let mut openai = status["credentials"][1].clone();
    for name in ["created_at", "updated_at"] {
        let at: Timestamp = openai[name].take().as_str().expect("a time").parse().expect("a time");
        assert!(Timestamp::now().duration_since(at) < SignedDuration::from_mins(5), "{at}");
    }
    assert_eq!(
        openai,
        json!({
            "created_at": null, "updated_at": null, "client_id": null,
            "provider": "openai", "label": "OpenAI", "set": "default", "profile": "default",
            "configured": true, "kind": "api_key", "account": null, "plan": null, "host": null, "scopes": [],
            "state": "ok", "refresh_problem": null, "set_aside": false, "expires_at": null, "expired": false,
            "refreshable": false, "owner": "us", "source": "stored", "variable": null, "fields": [],
        })
    );
    outcome.does_not_say(CANARY);
}

#[test]
fn project_or_set_filters_the_list() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.stores("openai", KEY);
    home.authenticate(["shop", "mistral", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    let providers = |arguments: &[&str]| -> Vec<String> {
        let arguments = ["status", "--json"].iter().chain(arguments);
        let status = home.authenticate(arguments).exits(code::DONE).json();
        let list = status["credentials"].as_array().expect("a list").clone();
        list.iter().map(|row| row["provider"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(providers(&[]), ["mistral", "openai"]);
    assert_eq!(providers(&["shop"]), ["mistral"]);
    assert_eq!(providers(&["demo"]), ["openai"]);
    assert_eq!(providers(&["--set", "team"]), ["mistral"]);
    assert!(providers(&["--set", "other"]).is_empty());
}

#[test]
fn keys_in_the_environment_are_listed_if_nothing_is_stored() {
    let home = Home::new();
    home.stores("deepseek", KEY);
    let status = |json: &[&str]| {
        home.authenticate(["status"].iter().chain(json))
            .env("DEEPSEEK_API_KEY", KEY)
            .env("GROQ_API_KEY", KEY)
            .env("MISTRAL_API_KEY", "  ")
            .exits(code::DONE)
    };
    let outcome = status(&[]);
    let lines: Vec<_> = outcome.stdout.lines().skip(1).map(words).collect();
    let key = ["default", "default", "api_key", "-", "ok", "-", "no"];
    assert_eq!(lines[0], [&["deepseek", "DeepSeek"][..], &key, &["stored"]].concat());
    assert_eq!(lines[1], [&["groq", "Groq"][..], &key, &["env", "GROQ_API_KEY"]].concat());
    assert_eq!(lines.len(), 2);
    outcome.does_not_say(CANARY);
    let outcome = status(&["--json"]);
    let row = &outcome.json()["credentials"][1];
    assert_eq!((&row["source"], &row["variable"]), (&"env".into(), &"GROQ_API_KEY".into()));
    outcome.does_not_say(CANARY);
}

#[test]
fn account_name_cannot_move_the_cursor() {
    let home = Home::new();
    let metadata = Metadata { account: Some("ann\x1b[2J\r\nbob".into()), ..Metadata::default() };
    home.put("gh", &Credential::Token { token: KEY.into() }, &metadata);
    // No escape code is in any output: `ends` sees to that.
    let outcome = home.authenticate(["status"]).exits(code::DONE);
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:#?}");
    assert_eq!(
        home.authenticate(["status", "--json"]).exits(code::DONE).json()["credentials"][0]["account"],
        "ann\x1b[2J\r\nbob"
    );
}

fn rows(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let arguments = ["status", "--json"].iter().chain(arguments);
    let status = home.authenticate(arguments).exits(code::DONE).json();
    status["credentials"].as_array().expect("a list").clone()
}

#[test]
fn single_word_can_be_a_provider() {
    let home = Home::new();
    home.stores("openai", KEY);
    home.stores("openai:work", KEY);
    home.stores("mistral", KEY);
    let names = |arguments: &[&str]| -> Vec<String> {
        let name = |row: &Value| format!("{}:{}", row["provider"], row["profile"]).replace('"', "");
        rows(&home, arguments).iter().map(name).collect()
    };
    assert_eq!(names(&["openai"]), ["openai:default", "openai:work"]);
    assert_eq!(names(&["openai:work"]), ["openai:work"]);
    assert_eq!(names(&["demo", "openai"]), ["openai:default", "openai:work"]);
    assert_eq!(names(&["demo", "openai:work"]), ["openai:work"]);
    assert_eq!(names(&["demo"]).len(), 3);
    home.authenticate(["status", "demo", "opnai"]).exits(code::USAGE).says("did you mean \"openai\"?");
    let slip = home.authenticate(["status", "opnai"]).exits(code::DONE);
    assert!(
        slip.stderr.contains("\"opnai\" is taken for a project without a file (did you mean \"openai\"?)")
    );
    // A project that has a file is a project.
    home.write("config/projects/openai.yaml", "credential_set: other\n");
    assert!(names(&["openai"]).is_empty());
    // A credential outlives its descriptor.
    let descriptor = home.write("config/providers/acme.yaml", "label: Acme\n");
    home.stores("acme", KEY);
    std::fs::remove_file(descriptor).expect("removed");
    assert_eq!(names(&["acme"]), ["acme:default"]);
}

#[test]
fn provider_without_a_credential_is_listed_as_not_configured() {
    let home = Home::new();
    let row = &rows(&home, &["openai"])[0];
    assert_eq!(
        (&row["configured"], &row["label"], &row["source"]),
        (&json!(false), &json!("OpenAI"), &Value::Null)
    );
    let all = rows(&home, &["--all"]);
    assert!(all.len() > 40, "{}", all.len());
    assert!(all.iter().all(|row| row["configured"] == false), "{all:#?}");
    home.stores("openai", KEY);
    let configured: Vec<_> =
        rows(&home, &["--all"]).into_iter().filter(|row| row["configured"] == true).collect();
    assert_eq!(configured.len(), 1);
    let table = home.authenticate(["status", "--all"]).exits(code::DONE).stdout;
    let ollama = table.lines().find(|line| line.starts_with("ollama")).expect("a line");
    assert_eq!(words(ollama), ["ollama", "Ollama", "default", "default", "-", "-", "-", "-", "-", "-"]);
}

#[test]
fn refreshable_credentials_are_marked() {
    let home = Home::new();
    let oauth = |refresh_token: Option<&str>| {
        Credential::OAuth(OAuth {
            access_token: KEY.into(),
            refresh_token: refresh_token.map(Into::into),
            id_token: None,
            extra: Default::default(),
        })
    };
    home.put("codex", &oauth(Some(KEY)), &in_hours(-1));
    home.put("claude", &oauth(None), &in_hours(1));
    // Its provider has no refresh method.
    home.put("opencode", &oauth(Some(KEY)), &in_hours(1));
    let refreshable =
        |row: &Value| (row["provider"].as_str().unwrap().to_owned(), row["refreshable"] == true);
    let found: Vec<_> = rows(&home, &[]).iter().map(refreshable).collect();
    let expected = [("claude", true), ("codex", true), ("opencode", false)];
    assert_eq!(found, expected.map(|(name, yes)| (name.to_owned(), yes)));
    assert_eq!(rows(&home, &["codex"])[0]["state"], "expired");
    let client = |home: &Home| rows(home, &["codex"])[0]["client_id"].clone();
    assert_eq!(client(&home), "app_EMoamEEZ73f0CkXaXp7hrann");
    home.write("config/providers/codex.yaml", "refresh: {client_id: 'env:CLIENT'}\n");
    assert_eq!(client(&home), Value::Null);
}

#[test]
fn each_field_has_its_source() {
    let home = Home::new();
    let fields = Credential::Fields([("bot_token".to_owned(), KEY.into())].into());
    home.put("slack", &fields, &Metadata::default());
    let row = &rows(&home, &["slack"])[0];
    let bot = json!({"name": "bot_token", "source": "stored", "variable": "SLACK_BOT_TOKEN"});
    let missing = json!({"name": "app_token", "source": null, "variable": "SLACK_APP_TOKEN"});
    assert_eq!((&row["state"], &row["fields"]), (&json!("ok"), &json!([bot, missing])));
    let table = |value: &str| {
        let outcome = home.authenticate(["status"]).env("SLACK_APP_TOKEN", value).exits(code::DONE);
        outcome.does_not_say(CANARY).stdout.clone()
    };
    assert!(table("").contains("stored; app_token: missing"));
    let bad =
        home.authenticate(["status", "--json"]).env("SLACK_APP_TOKEN", "CANARY\x1b[2J").exits(code::DONE);
    let row = &bad.does_not_say(CANARY).json()["credentials"][0];
    assert_eq!((&row["state"], &row["fields"]), (&json!("error"), &json!([bot, missing])));
    assert!(table(KEY).contains("stored; app_token: env SLACK_APP_TOKEN"));
}

/// Each line of a table, as a terminal of 80 columns gets it.
fn on_a_terminal(home: &Home, arguments: &[&str]) -> Vec<String> {
    let ended = OnTerminal::start(&home.command(arguments), 24, 80).end();
    ended.out.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn table_loses_columns_to_fit_the_terminal() {
    let home = Home::new();
    let metadata = Metadata { account: Some("ann.smith@mail.example.com".into()), ..in_hours(5) };
    home.put("github-copilot", &Credential::Token { token: KEY.into() }, &metadata);
    let shown = on_a_terminal(&home, &["status"]);
    assert_eq!(words(&shown[0]), ["PROVIDER", "SET", "PROFILE", "ACCOUNT", "STATE", "EXPIRES"]);
    assert_eq!(
        words(&shown[1]),
        ["github-copilot", "default", "default", "ann.smith@mail.example.com", "ok", "in", "4", "h"]
    );
    assert_eq!(shown[2], "not shown: LABEL, SOURCE, REFRESH, KIND; --wide shows all");
    let wide = on_a_terminal(&home, &["status", "--wide"]);
    assert_eq!(
        wide[0],
        home.authenticate(["status"]).exits(code::DONE).stdout.lines().next().expect("a line")
    );
    for table in [["log"], ["providers"]] {
        let lines = on_a_terminal(&home, &table);
        assert!(lines.iter().all(|line| line.len() <= 80), "{lines:#?}");
    }
}

#[test]
fn check_tells_whether_a_credential_can_be_used() {
    let home = Home::new();
    let check = |target: &str, exits| {
        let outcome = home.authenticate(["status", "demo", target, "--check"]).exits(exits);
        assert_eq!(outcome.stdout, "");
        outcome
    };
    check("gh", code::NO_CREDENTIAL).says("no credential for gh").says("log in with: authenticate demo gh");
    home.put("gh", &Credential::Token { token: KEY.into() }, &in_hours(1));
    check("gh", code::DONE);
    home.put("gh", &Credential::Token { token: KEY.into() }, &in_hours(-1));
    check("gh", code::NO_CREDENTIAL).says("expired");
    let login = |refresh: Option<&str>| {
        let tokens = OAuth {
            access_token: KEY.into(),
            refresh_token: refresh.map(Into::into),
            id_token: None,
            extra: Default::default(),
        };
        home.put("codex", &Credential::OAuth(tokens), &in_hours(-1));
    };
    login(None);
    check("codex", code::NO_CREDENTIAL);
    login(Some("refresh-me"));
    check("codex", code::DONE);
    let mut store = Store::open(Place::from(&home.data()).key_source(KeySource::KeyFile)).expect("a store");
    let address = Address::default_profile("codex".parse().expect("a name"));
    let version = store.get(&address).expect("read").expect("there").version;
    store.begin_attempt(&address, version, "me", false).expect("begun");
    store.end_attempt(&address, version, AttemptState::Rejected, "me", "why").expect("ended");
    check("codex", code::NO_CREDENTIAL).says("expired").says("log in again with");
    home.authenticate(["status", "--check"]).exits(code::USAGE);
    home.authenticate(["status", "demo", "--check"]).exits(code::USAGE);
}
