//! A key in the wrong place of a command line is never repeated, and a plain slip still is.

use test_support::{CANARY, Home, KEY, code};

#[test]
fn key_in_a_wrong_place_is_not_repeated() {
    let home = Home::new();
    let stdin = format!("--api-key-stdin={KEY}");
    let json = format!("--json={KEY}");
    let glued = format!("--api-key-stdin{KEY}");
    let (set, target, path) = (format!("{KEY}/"), format!("openai:{KEY}/x"), format!("{KEY}/x"));
    let wrong: [&[&str]; 17] = [
        &["demo", "openai", &stdin],
        &["demo", "openai", &json],
        &["demo", "openai", &glued],
        &["demo", "openai", KEY],
        &["demo", KEY],
        &["token", "demo", KEY],
        &["token", "demo", "openai", KEY],
        &["demo", &target],
        &[&path, "openai"],
        &["demo", "openai", "--set", &set],
        &["demo", "openai", "--mode", KEY],
        &["demo", "openai", "--timeout", KEY],
        &["demo", "codex", "--mode", "oauth", "--engine", KEY],
        &["image", "build", KEY],
        &["image", KEY],
        &["providers", "show", KEY],
        &["completions", KEY],
    ];
    for arguments in wrong {
        let outcome = home.authenticate(arguments).exits(code::USAGE);
        outcome.does_not_say(CANARY).says("error: ");
    }
    assert!(!home.data().exists());
}

/// A name that is a key in form, too, under which there is nothing.
#[test]
fn key_in_place_of_a_name_is_not_repeated() {
    let home = Home::new();
    home.stores("openai", "sk-0123456789-abcdefghij");
    let profile = format!("openai:{KEY}");
    let nothing: [&[&str]; 10] = [
        &["token", "demo", "openai", "--set", KEY],
        &["token", "demo", "openai", "--set", KEY, "--json"],
        &["token", "demo", &profile],
        &["token", KEY, "openai:work"],
        &["token", KEY, "anthropic"],
        &["logout", "demo", "openai", "--set", KEY],
        &["logout", "demo", &profile],
        &["revoke", "demo", &profile],
        &["refresh", "demo", "openai", "--set", KEY],
        &["refresh", "demo", &profile],
    ];
    for arguments in nothing {
        let outcome = home.authenticate(arguments).exits(code::NO_CREDENTIAL);
        outcome.does_not_say(CANARY).says("error: no credential for ").says("hint: ");
    }
    home.authenticate(["token", "demo", &profile])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for openai:... (redacted: it could be a key)")
        .says("authenticate demo openai:PROFILE");
    home.authenticate(["token", "demo", "openai:wrok", "--set", "team"])
        .exits(code::NO_CREDENTIAL)
        .says("no credential for openai:wrok (set team)")
        .says("authenticate demo openai:wrok --set team");
}

/// Nor as the name of what is looked for, whether or not there is something beside it.
#[test]
fn key_in_place_of_a_filter_is_not_repeated() {
    let home = Home::new();
    home.stores("openai", "sk-0123456789-abcdefghij");
    let (openai, mistral) = (format!("openai:{KEY}"), format!("mistral:{KEY}"));
    for arguments in [
        &["status", &openai][..],
        &["status", &mistral],
        &["status", "demo", &mistral],
        &["status", KEY],
        &["status", "--set", KEY],
        &["status", "--set", KEY, "--all"],
        &["status", "mistral", "--set", KEY],
        &["log", "--provider", KEY],
        &["logout", "--all", "--set", KEY],
        &["refresh", "--set", KEY],
        &["refresh", KEY],
        &["projects"],
    ] {
        for json in [&[][..], &["--json"]] {
            let arguments = arguments.iter().chain(json);
            home.authenticate(arguments).env("GROQ_API_KEY", "x").exits(code::DONE).does_not_say(CANARY);
        }
    }
    for arguments in [
        &["import", "openai", "--profile", KEY][..],
        &["import", KEY],
        &["import", "codex", "--from", KEY],
        &["import", "demo", &format!("codex:{KEY}")],
        &["demo", &openai],
        &["demo", "openai", "--set", KEY],
        &["login", KEY, "codex", "--mode", "oauth"],
        &["demo", "codex", "--mode", "oauth", "--set", KEY],
        &["demo", &format!("codex:{KEY}"), "--mode", "oauth"],
        &["status", "demo", KEY],
        &["logout", "demo", KEY],
        &["store", KEY],
        &["store", "unlock", "--for", KEY],
        &["log", "--limit", KEY],
    ] {
        home.authenticate(arguments).ends().does_not_say(CANARY).says("error: ");
    }
    let typed = home.authenticate(["status", "mistral:wrok"]).exits(code::DONE);
    typed.prints("wrok");
}

#[test]
fn key_in_place_of_a_file_is_not_repeated() {
    let home = Home::new();
    home.stores("openai", "sk-0123456789-abcdefghij");
    for arguments in [
        &["store", "restore", KEY][..],
        &["store", "restore", "b.age", "--identity", KEY],
        &["store", "unlock", "--passphrase-file", KEY],
        &["store", "rekey", "--source", "passphrase", "--passphrase-file", KEY],
        &["store", "backup", KEY, "--recipient", KEY],
        &["demo", "codex", "--mode", "oauth", "--ca-bundle", KEY],
        &["image", "build", "codex", "--ca-bundle", KEY],
    ] {
        home.authenticate(arguments).ends().does_not_say(CANARY).says("error: ");
    }
}

#[test]
fn key_in_place_of_a_field_is_not_repeated() {
    let home = Home::new();
    let field = KEY.replace('-', "_");
    let (given, from_file) = (format!("{field}=x"), format!("{field}=/nonexistent"));
    for arguments in
        [&["--field", &given, "--field", &given][..], &["--field", &given], &["--field-file", &from_file]]
    {
        let arguments = ["demo", "slack"].iter().chain(arguments);
        home.authenticate(arguments).exits(code::USAGE).does_not_say(CANARY).says("error: ");
    }
    for (json, says) in [
        (format!(r#"{{"{KEY}": "x"}}"#), "slack has no field"),
        (format!(r#"{{"{KEY}": 1}}"#), "is not a string"),
        (format!(r#"{{"{KEY}": "x", "{KEY}": "y"}}"#), "is given twice"),
        (format!(r#"["{KEY}"]"#), "not one JSON object"),
        (r#"{"bot_tokn": "x"}"#.to_owned(), "slack has no field \"bot_tokn\""),
    ] {
        let outcome =
            home.authenticate(["demo", "slack", "--fields-json-stdin"]).input(json).exits(code::USAGE);
        outcome.does_not_say(CANARY).says(says);
    }
}

#[test]
fn key_in_a_variable_of_ours_is_not_repeated() {
    let home = Home::new();
    for variable in [
        "AUTHENTICATE_KEY_SOURCE",
        "AUTHENTICATE_CONFIG_DIR",
        "AUTHENTICATE_DATA_DIR",
        "DOCKER_HOST",
        "CONTAINER_HOST",
        "SSL_CERT_FILE",
    ] {
        let login =
            home.authenticate(["demo", "codex", "--mode", "oauth", "--no-browser"]).env(variable, KEY);
        login.ends().does_not_say(CANARY).says("error: ");
        home.authenticate(["doctor"]).env(variable, KEY).ends().does_not_say(CANARY);
    }
}

#[test]
fn password_in_an_engines_url_is_not_repeated() {
    let home = Home::new();
    let url = "tcp://me:CANARY@127.0.0.1:9";
    home.authenticate(["demo", "codex", "--mode", "oauth", "--engine", url])
        .exits(code::USAGE)
        .says("must not contain a password")
        .does_not_say(CANARY);
    home.authenticate(["demo", "codex", "--mode", "oauth"])
        .env("DOCKER_HOST", url)
        .exits(code::ENGINE)
        .says("tcp://...@127.0.0.1:9 (DOCKER_HOST): ")
        .does_not_say(CANARY);
}

#[test]
fn harmless_typo_is_repeated() {
    let home = Home::new();
    home.authenticate(["demo", "openia"]).exits(code::USAGE).says("unknown provider \"openia\"");
    home.authenticate(["demo", "openai", "--mode", "oatuh"]).exits(code::USAGE).says("'oatuh'").says("oauth");
    home.authenticate(["demo", "openai", "extra"]).exits(code::USAGE).says("'extra'");
    home.authenticate(["demo", "openai", "--api-key-stdni"]).exits(code::USAGE).says("'--api-key-stdin'");
    home.authenticate(["demo", "a/b"]).exits(code::USAGE).says("\"a/b\"");
    home.authenticate(["demo", "openai:a/b"]).exits(code::USAGE).says("\"a/b\" is not a name");
}
