//! Differences between vendors, as data.

use authenticate::credential::Credential;
use test_support::{
    Home, Login, Stub, code, json_reply,
    login::{query, redirect, visit},
    record, tokens,
};

const KEY: &str = "sk-or-v1-0123456789abcdef0123456789";

/// The bundled descriptor `openrouter`, led to a server of ours. Only addresses and the port are overridden.
fn openrouter(home: &Home, vendor: &Stub) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let yaml = format!(
        "browser: {{authorization_url: '{}', token_url: '{}', redirect_port: {port}}}\n",
        vendor.url("/auth"),
        vendor.url("/keys")
    );
    home.write("config/providers/openrouter.yaml", &yaml);
}

#[test]
fn api_key_of_the_vendor_is_stored() {
    let home = Home::new();
    let vendor = Stub::that(|_| json_reply(200, &format!(r#"{{"key": "{KEY}", "user_id": "user_1"}}"#)));
    openrouter(&home, &vendor);
    let run = home.authenticate(["demo", "openrouter", "--mode", "browser"]).env("BROWSER", "/bin/true");
    let mut login = Login::start(run);
    let url = login.url();
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["callback_url", "code_challenge", "code_challenge_method"]);
    let mut back = redirect(&url, "callback_url");
    assert_eq!(back.host_str(), Some("localhost"));
    assert!(back.path().len() > "/callback/".len() + 40, "the state is in the path: {back}");
    let mut other = back.clone();
    other.set_path("/callback/0123456789012345678901234567890123456789012");
    other.set_query(Some("code=the-code"));
    assert_eq!(visit(&other).status, 404);
    back.set_query(Some("code=the-code"));
    assert!(visit(&back).body.contains("You are logged in"));
    let ended = login.exits(code::DONE);
    assert!(ended.said.contains("stored api_key openrouter for user_1"), "{}", ended.said);
    assert!(!ended.said.contains(KEY));
    assert_eq!(record(&home, "openrouter").expect("a record").credential, Credential::api_key(KEY));
    let sent: serde_json::Value = serde_json::from_str(&vendor.asked()[0].body).expect("json");
    assert_eq!(sent["code"], "the-code");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert!(sent["code_verifier"].as_str().is_some_and(|verifier| verifier.len() >= 43), "{sent}");
    assert!(sent.get("client_id").is_none() && sent.get("redirect_uri").is_none(), "{sent}");
    assert_eq!(query(&url, "code_challenge_method").as_deref(), Some("S256"));
}

/// Nobody has mistyped it, and the vendor will not give it twice.
#[test]
fn api_key_of_the_vendor_need_not_match_the_pattern() {
    for (given, exits, says) in [
        ("CANARY".to_owned(), code::DONE, "the key does not look like one of OpenRouter"),
        (
            "CANARY".repeat(3000),
            code::LOGIN_FAILED,
            "openrouter returned an invalid API key: it is longer than any",
        ),
    ] {
        let home = Home::new();
        let vendor = Stub::that(move |_| json_reply(200, &format!(r#"{{"key": "{given}"}}"#)));
        openrouter(&home, &vendor);
        let run = home.authenticate(["demo", "openrouter", "--mode", "browser", "--no-browser"]);
        let mut login = Login::start(run);
        login.url();
        login.types("the-code");
        let ended = login.exits(exits);
        assert!(ended.said.contains(says), "{}", ended.said);
        assert!(!ended.said.contains("CANARY"), "{}", ended.said);
        assert_eq!(record(&home, "openrouter").is_some(), exits == code::DONE);
    }
}

/// GitHub's device flow with a client of one's own, as the bundled descriptor has it.
#[test]
fn own_client_enables_a_mode() {
    let home = Home::new();
    home.authenticate(["demo", "gh", "--mode", "device"])
        .exits(code::USAGE)
        .says("gh has no mode device; it has oauth, api_key")
        .says("with an OAuth client of your own, set `device: {client_id: ..}` and `modes` in providers/gh.yaml");
    let vendor = Stub::that(|asked| match asked.path.as_str() {
        "/code" => json_reply(
            200,
            r#"{"device_code": "d", "user_code": "AAAA-BBBB", "verification_uri": "https://github.com/login/device",
                "expires_in": 899, "interval": 1}"#,
        ),
        "/token" => {
            json_reply(200, r#"{"access_token": "gho_x", "token_type": "bearer", "scope": "gist,repo"}"#)
        }
        _ => json_reply(200, r#"{"login": "octocat"}"#),
    });
    let (device, token, user) = (vendor.url("/code"), vendor.url("/token"), vendor.url("/user"));
    home.write(
        "config/providers/gh.yaml",
        &format!(
            "modes: [device]\n\
             device: {{client_id: own, device_authorization_url: '{device}', token_url: '{token}'}}\n\
             account: {{url: '{user}'}}\n"
        ),
    );
    home.authenticate(["demo", "gh"]).exits(code::DONE).says("stored oauth gh for octocat");
    assert_eq!(vendor.asked()[0].parameter("client_id").as_deref(), Some("own"));
    assert_eq!(vendor.asked()[0].parameter("scope").as_deref(), Some("repo read:org gist"));
    let user = &vendor.asked_at("/user")[0];
    assert!(user.head.to_lowercase().contains("authorization: bearer gho_x\r\n"), "{}", user.head);
    assert_eq!(tokens(&home, "gh").1.metadata.scopes, ["gist", "repo"]);
}

#[test]
fn unknown_account_is_not_a_failure() {
    let home = Home::new();
    let vendor = Stub::that(|asked| match asked.path.as_str() {
        "/token" => json_reply(200, r#"{"access_token": "CANARY-token"}"#),
        _ => json_reply(500, "CANARY-token"),
    });
    test_support::describe(
        &home,
        "acme",
        &format!(
            "modes: [client_credentials]\n\
             client_credentials: {{token_url: '{}', client_id: demo, client_secret: 'env:SECRET'}}\n\
             account: {{url: '{}', field: login}}",
            vendor.url("/token"),
            vendor.url("/user")
        ),
    );
    home.authenticate(["demo", "acme"])
        .env("SECRET", "s3cret")
        .exits(code::DONE)
        .says("cannot get the account's name")
        .does_not_say("CANARY");
}

#[test]
fn mode_without_a_public_client_is_refused_with_a_hint() {
    for (provider, has) in [
        ("codex", "oauth, api_key"),
        ("claude", "oauth, api_key"),
        ("anthropic", "api_key"),
        ("openai", "api_key"),
    ] {
        for mode in ["device", "browser", "client_credentials", "token_exchange"] {
            let home = Home::new();
            let outcome = home.authenticate(["demo", provider, "--mode", mode]).exits(code::USAGE);
            outcome.says(&format!("{provider} has no mode {mode}; it has {has}")).says("use --mode ");
            assert!(!home.data().exists(), "nothing was attempted");
        }
    }
}
