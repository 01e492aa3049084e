//! Which credential is used, of several that could be.

use authenticate::{
    credential::{Address, Credential, Metadata},
    store::Store,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_support::{CANARY, Home, KEY, code, name};

/// Stores a token `sk-PROFILE` that ends so many hours from now.
fn store(home: &Home, provider: &str, profile: &str, hours: i64) {
    let address = Address { profile: name(profile), ..Address::default_profile(name(provider)) };
    let expires_at = Some(Timestamp::now() + SignedDuration::from_hours(hours));
    let credential = Credential::Token { token: format!("sk-{profile}").into() };
    let metadata = Metadata { expires_at, ..Metadata::default() };
    Store::open(&home.data()).expect("a store").put(&address, &credential, &metadata).expect("stored");
}

fn token<const N: usize>(home: &Home, arguments: [&str; N]) -> String {
    home.authenticate(["token"].into_iter().chain(arguments)).exits(code::DONE).stdout.trim_end().to_owned()
}

#[test]
fn default_account_is_used_if_none_is_named() {
    let home = Home::new();
    store(&home, "gh", "default", 1);
    store(&home, "gh", "work", 1);
    store(&home, "gh", "play", 1);
    assert_eq!(token(&home, ["demo", "gh"]), "sk-default");
    assert_eq!(token(&home, ["demo", "gh:work"]), "sk-work");
}

#[test]
fn only_account_is_used_whatever_its_name() {
    let home = Home::new();
    store(&home, "gh", "work", 1);
    assert_eq!(token(&home, ["demo", "gh"]), "sk-work");
    assert_eq!(token(&home, ["demo", "github"]), "sk-work");
    let found = home.authenticate(["token", "demo", "gh", "--json"]).exits(code::DONE).json();
    assert_eq!((&found["profile"], &found["source"]), (&json!("work"), &json!("stored")));
}

#[test]
fn several_accounts_without_a_default_are_refused() {
    let home = Home::new();
    store(&home, "gh", "work", 1);
    store(&home, "gh", "play", 1);
    for provider in ["gh", "github"] {
        home.authenticate(["token", "demo", provider])
            .env("GH_TOKEN", "other")
            .exits(code::USAGE)
            .says("several accounts of gh are stored: gh:play, gh:work")
            .says("hint: name one, as gh:play, or set `profiles` in the project's file");
    }
}

#[test]
fn named_account_is_never_replaced_by_another() {
    let home = Home::new();
    store(&home, "gh", "default", 1);
    store(&home, "gh", "work", -1);
    for target in ["gh:work", "gh:play", "gh:wrok"] {
        home.authenticate(["token", "demo", target]).env("GH_TOKEN", "other").exits(code::NO_CREDENTIAL);
    }
}

#[test]
fn projects_order_of_profiles_is_used() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "profiles: {gh: [work, default]}\n");
    home.write("config/projects/alias.yaml", "profiles: {github: [work]}\n");
    store(&home, "gh", "default", 1);
    store(&home, "gh", "work", 1);
    assert_eq!(token(&home, ["shop", "gh"]), "sk-work");
    assert_eq!(token(&home, ["shop", "github"]), "sk-work");
    assert_eq!(token(&home, ["alias", "gh"]), "sk-work");
    assert_eq!(token(&home, ["shop", "gh:default"]), "sk-default");
    assert_eq!(token(&home, ["demo", "gh"]), "sk-default");
}

#[test]
fn skipped_profiles_are_reported() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "profiles: {gh: [away, work, default]}\n");
    store(&home, "gh", "default", 1);
    store(&home, "gh", "work", -1);
    let outcome = home.authenticate(["token", "shop", "gh"]).exits(code::DONE);
    assert_eq!(outcome.stdout, "sk-default\n");
    assert_eq!(
        outcome.stderr,
        "skipped: gh:away is not stored; using gh\nskipped: gh:work has expired; using gh\n"
    );
}

#[test]
fn other_accounts_and_then_the_environment_follow_the_order() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "profiles: {gh: [away]}\n");
    let run = || home.authenticate(["token", "shop", "gh"]).env("GH_TOKEN", "from-env").ends();
    assert_eq!(run().stdout, "from-env\n");
    store(&home, "gh", "play", 1);
    assert_eq!(run().stdout, "sk-play\n");
    store(&home, "gh", "work", 1);
    assert_eq!(run().code, Some(code::USAGE.into()));
    store(&home, "gh", "default", 1);
    assert_eq!(run().stdout, "sk-default\n");
}

/// Another account than the one that is meant would be worse than none.
#[test]
fn expired_account_is_not_replaced_by_the_environment() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "profiles: {gh: [work]}\n");
    store(&home, "gh", "work", -1);
    for project in ["shop", "demo"] {
        home.authenticate(["token", project, "gh"])
            .env("GH_TOKEN", "other")
            .exits(code::NO_CREDENTIAL)
            .says("the credential for gh:work expired");
    }
}

#[test]
fn first_variable_wins_and_the_providers_own_always_counts() {
    let home = Home::new();
    let run = |variables: &[(&str, &str)]| {
        let run = home.authenticate(["token", "demo", "gh", "--json"]);
        let found =
            variables.iter().fold(run, |run, (name, value)| run.env(name, value)).exits(code::DONE).json();
        assert_eq!(found["source"], "env");
        found["variable"].as_str().expect("a variable").to_owned()
    };
    assert_eq!(run(&[("GITHUB_TOKEN", "b"), ("GH_TOKEN", "a"), ("GH_API_KEY", "c")]), "GH_TOKEN");
    assert_eq!(run(&[("GITHUB_TOKEN", "b"), ("GH_TOKEN", " ")]), "GITHUB_TOKEN");
    assert_eq!(run(&[("GH_API_KEY", "c")]), "GH_API_KEY");
}

#[test]
fn override_is_used_and_not_stored() {
    let home = Home::new();
    home.stores("openai", "sk-0123456789-stored");
    let run = || home.authenticate(["token", "demo", "openai", "--token-env", "MY_TOKEN", "--json"]);
    let found = run().env("MY_TOKEN", KEY).exits(code::DONE).json();
    assert_eq!((&found["token"], &found["source"]), (&json!(KEY), &json!("override")));
    assert!(home.stored().iter().all(|(_, secret)| !secret.contains(CANARY)));
    run().exits(code::USAGE).says("the variable \"MY_TOKEN\" of --token-env is not set");
    run().env("MY_TOKEN", " ").exits(code::USAGE).says("the variable of --token-env is blank");
    home.authenticate(["token", "demo", "opnai", "--token-env", "T"]).env("T", KEY).exits(code::USAGE);
}

#[test]
fn local_backend_without_a_key_is_not_configured() {
    let home = Home::new();
    for provider in ["ollama", "vllm", "litellm"] {
        home.authenticate(["token", "demo", provider])
            .exits(code::NO_CREDENTIAL)
            .says("it may work without a key; to log in: authenticate demo");
    }
    assert_eq!(home.authenticate(["status", "--json"]).exits(code::DONE).json()["credentials"], json!([]));
}

#[test]
fn invalid_order_of_profiles_is_reported() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "profiles:\n  gh: [work, work, a/b]\n  claude: []\n");
    home.authenticate(["token", "shop", "gh"])
        .exits(code::USAGE)
        .says("shop.yaml:2:14: profiles.gh[1]: work is named twice")
        .says("\"a/b\" is not a name")
        .says("profiles.claude: names no profile");
}

#[test]
fn unset_variable_is_an_error_before_anything_begins() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "engine: env:SHOP_ENGINE\nenv: {TOKEN: 'env:SHOP_TOKEN'}\n");
    let run = || home.authenticate(["shop", "claude", "--mode", "oauth"]);
    run().exits(code::USAGE).says("engine of the project: the environment variable SHOP_ENGINE is not set");
    run()
        .env("SHOP_ENGINE", "unix:///nonexistent/CANARY.sock")
        .exits(code::USAGE)
        .says("env.TOKEN of the project: the environment variable SHOP_TOKEN is not set")
        .does_not_say(CANARY);
    run()
        .env("SHOP_ENGINE", "CANARY")
        .env("SHOP_TOKEN", "t")
        .exits(code::USAGE)
        .says("engine of the project: the environment variable SHOP_ENGINE holds a value that this field cannot take")
        .does_not_say(CANARY);
    assert!(!home.data().exists());
    // The value of the variable is used.
    run()
        .env("SHOP_ENGINE", "unix:///nonexistent/shop.sock")
        .env("SHOP_TOKEN", "t")
        .exits(code::ENGINE)
        .says("/nonexistent/shop.sock");
    // A variable that is not used need not be set.
    home.authenticate(["shop", "openai", "--api-key-stdin"]).input(KEY).exits(code::DONE);
}

#[test]
fn providers_environment_can_refer_to_variables() {
    let home = Home::new();
    home.write("config/providers/claude.yaml", "env: {EXTRA: 'env:CLAUDE_EXTRA'}\n");
    home.authenticate(["demo", "claude", "--mode", "oauth"])
        .exits(code::USAGE)
        .says("env.EXTRA of provider claude: the environment variable CLAUDE_EXTRA is not set");
    home.write("config/providers/claude.yaml", "env: {EXTRA: 'env:not a name'}\n");
    home.authenticate(["demo", "claude", "--mode", "oauth"]).exits(code::USAGE).says("claude.yaml:1:7");
}

#[test]
fn token_endpoints_cannot_refer_to_variables() {
    let home = Home::new();
    let file = home.write(
        "acme.yaml",
        "modes: [api_key]\nrefresh: {strategy: oauth, token_url: 'env:URL', client_id: 'env:no name'}\n\
         revoke: {url: 'env:URL', client_id: 'env:CLIENT'}\n",
    );
    home.authenticate(["providers", "lint", file.to_str().unwrap()])
        .exits(code::USAGE)
        .says("acme.yaml:2:28: refresh.token_url")
        .says("refresh.client_id")
        .says("acme.yaml:3:10: revoke.url")
        .does_not_say("revoke.client_id");
}

#[test]
fn variable_for_tokens_gives_a_token() {
    let home = Home::new();
    let token = |provider: &str, variables: &[(&str, &str)]| {
        let mut run = home.authenticate(["token", "demo", provider, "--json"]);
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let json = run.exits(code::DONE).json();
        (json["kind"].as_str().expect("a kind").to_owned(), json["token"].as_str().expect("one").to_owned())
    };
    for (provider, variable) in [
        ("anthropic", "ANTHROPIC_AUTH_TOKEN"),
        ("anthropic", "ANTHROPIC_OAUTH_TOKEN"),
        ("claude", "CLAUDE_CODE_OAUTH_TOKEN"),
    ] {
        assert_eq!(token(provider, &[(variable, " tok ")]), ("token".into(), "tok".into()), "{variable}");
        let both = token(provider, &[(variable, "tok"), ("ANTHROPIC_API_KEY", KEY)]);
        assert_eq!(both, ("api_key".into(), KEY.into()), "keys come first");
    }
}

#[test]
fn invalid_variable_is_an_error_in_status() {
    let home = Home::new();
    for (variable, provider, kind) in
        [("GROQ_API_KEY", "groq", "api_key"), ("CLAUDE_CODE_OAUTH_TOKEN", "claude", "token")]
    {
        let with = |words: &[&str]| home.authenticate(words).env(variable, "a\nCANARY");
        with(&["token", "demo", provider]).exits(code::NO_CREDENTIAL).says(variable).does_not_say(CANARY);
        let outcome = with(&["status", "--json"]).exits(code::DONE).does_not_say(CANARY).json();
        let row = &outcome["credentials"][0];
        assert_eq!((&row["provider"], &row["kind"]), (&provider.into(), &kind.into()), "{outcome}");
        assert_eq!((&row["state"], &row["variable"]), (&"error".into(), &variable.into()));
    }
}

#[test]
fn status_and_token_report_the_source_in_the_same_members() {
    let home = Home::new();
    let fields = [("bot_token".to_owned(), KEY.into())];
    home.put("slack", &Credential::Fields(fields.into()), &Metadata::default());
    home.stores("openai", KEY);
    let run = |words: &[&str]| {
        let run = home.authenticate(words).env("GH_TOKEN", "g").env("SLACK_APP_TOKEN", "a");
        run.exits(code::DONE).json()
    };
    for provider in ["gh", "openai", "slack"] {
        let token = run(&["token", "demo", provider, "--json"]);
        let status = run(&["status", "demo", provider, "--json"])["credentials"][0].clone();
        for name in ["source", "variable"] {
            assert_eq!(token[name], status[name], "{provider}: {name}");
            if provider == "slack" {
                for field in 0..2 {
                    assert_eq!(
                        token["fields"][field][name], status["fields"][field][name],
                        "{field}: {name}"
                    );
                }
            }
        }
    }
}

#[test]
fn override_with_control_characters_is_refused() {
    let home = Home::new();
    home.authenticate(["token", "demo", "openai", "--token-env", "T"])
        .env("T", "CANARY\x1b[2J")
        .exits(code::NO_CREDENTIAL)
        .says("T holds no credential: it contains control characters")
        .does_not_say(CANARY);
}

#[test]
fn field_from_the_environment_with_control_characters_is_refused() {
    let home = Home::new();
    let token = |value: &str| {
        home.authenticate(["token", "demo", "slack", "--field", "app_token"]).env("SLACK_APP_TOKEN", value)
    };
    let is_refused = |value: &str| {
        token(value)
            .exits(code::NO_CREDENTIAL)
            .says("SLACK_APP_TOKEN holds no credential: it ")
            .does_not_say(CANARY);
    };
    let both = || {
        assert_eq!(token(&format!(" {KEY}\n")).exits(code::DONE).stdout, format!("{KEY}\n"));
        is_refused("CANARY\x1b[31mpp");
        is_refused("CANARY\nmore");
    };
    both();
    let row = |run: test_support::Run| run.exits(code::DONE).json()["credentials"][0].clone();
    let status = row(home.authenticate(["status", "slack", "--json"]).env("SLACK_APP_TOKEN", "a\x1b"));
    assert_eq!((&status["kind"], &status["state"]), (&json!("fields"), &json!("error")));
    home.put(
        "slack",
        &Credential::Fields([("bot_token".to_owned(), KEY.into())].into()),
        &Metadata::default(),
    );
    both();
    // A field that is stored needs no variable.
    home.authenticate(["token", "demo", "slack", "--field", "app_token"])
        .env("SLACK_APP_TOKEN", KEY)
        .env("SLACK_BOT_TOKEN", "a\x1b")
        .exits(code::DONE);
}

#[test]
fn override_has_the_kind_of_its_provider() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let arguments = [&["token", "demo"], arguments, &["--token-env", "T"]].concat();
        home.authenticate(arguments).env("T", KEY)
    };
    home.write("config/providers/bearer.yaml", "label: Bearer\nmodes: [token, api_key]\n");
    for (provider, kind) in
        [("openai", "api_key"), ("codex", "api_key"), ("bearer", "token"), ("telegram", "fields")]
    {
        let found = run(&[provider, "--json"]).exits(code::DONE).json();
        assert_eq!((&found["kind"], &found["token"]), (&json!(kind), &json!(KEY)), "{provider}");
    }
    assert_eq!(run(&["telegram"]).exits(code::DONE).stdout, format!("{KEY}\n"));
    let field = |name: &'static str| run(&["slack", "--field", name]);
    assert_eq!(field("bot_token").exits(code::DONE).stdout, format!("{KEY}\n"));
    let found = run(&["slack", "--field", "bot_token", "--json"]).exits(code::DONE).json();
    assert_eq!(found["fields"][0]["source"], "override");
    field("nonesuch").exits(code::USAGE).says("slack has no field \"nonesuch\"; it has bot_token, app_token");
    for json in [&["slack"][..], &["slack", "--json"]] {
        run(json)
            .exits(code::USAGE)
            .says("slack has several fields: bot_token, app_token")
            .says("name the field that the variable holds with --field NAME");
    }
    home.write("config/providers/acme.yaml", "label: Acme\nmodes: [basic]\n");
    for name in ["username", "password"] {
        assert_eq!(run(&["acme", "--field", name]).exits(code::DONE).stdout, format!("{KEY}\n"));
    }
    run(&["acme"]).exits(code::USAGE).says("acme has several fields: username, password");
}
