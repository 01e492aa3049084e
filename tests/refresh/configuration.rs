//! Refreshing with missing, wrong or unusual configuration.

use std::fs;

use authenticate::revoke::Revocation;
use jiff::SignedDuration;
use serde_json::{Value, json};
use test_support::{
    Server,
    refresh::{EXPIRED, Home},
    runtime,
};

const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/authority.pem");

fn tokens() -> Value {
    json!({"access_token": "OLD", "refresh_token": "RRR"})
}

fn refresh_server() -> Server {
    Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)))
}

#[track_caller]
fn says(home: &Home, args: &[&str], code: i32, parts: &[&str]) -> String {
    ends(&mut home.command(args), code, parts)
}

#[track_caller]
fn ends(command: &mut std::process::Command, code: i32, parts: &[&str]) -> String {
    let output = command.output().expect("ran");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
    }
    String::from_utf8(output.stdout).expect("text")
}

fn project(home: &Home, text: &str) {
    fs::create_dir_all(home.paths.projects()).expect("made");
    fs::write(home.paths.projects().join("p.yaml"), text).expect("written");
}

/// A wrong override may be just the file that says where tokens go: nothing goes where the bundled one says.
#[test]
fn wrong_descriptor_prevents_a_refresh() {
    let server = refresh_server();
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    let file = home.paths.providers().join("acme.yaml");
    let right = fs::read_to_string(&file).expect("described");
    fs::write(&file, right.replacen('{', r#"{"typo": 1,"#, 1)).expect("written");
    for args in [&["token", "p", "acme"][..], &["refresh", "p", "acme"], &["refresh", "p", "acme", "--force"]]
    {
        says(&home, args, 2, &["acme.yaml:1:", "unknown field \"typo\""]);
    }
    assert_eq!(server.bodies().len(), 0);

    let bundled = home.paths.providers().join("codex.yaml");
    fs::write(&bundled, format!(r#"{{"refresh": {{"token_url": "{}", "typo": 1}}}}"#, server.url))
        .expect("written");
    let record = home.record();
    let codex = authenticate::credential::Address::default_profile("codex".parse().expect("a name"));
    home.store().put(&codex, &record.credential, &record.metadata).expect("stored");
    for args in [&["token", "p", "codex"][..], &["refresh", "p", "codex"]] {
        says(&home, args, 2, &["codex.yaml:1:", "unknown field \"typo\""]);
    }
    fs::write(&bundled, format!(r#"{{"refresh": {{"token_url": "{}"}}}}"#, server.url)).expect("written");
    assert_eq!(says(&home, &["token", "p", "codex"], 0, &[]), "NEW\n");
}

#[test]
fn unexpired_token_is_used_despite_a_wrong_or_missing_descriptor() {
    let server = refresh_server();
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), SignedDuration::from_secs(60));
    let file = home.paths.providers().join("acme.yaml");
    fs::write(&file, "typo: 1\n").expect("written");
    let used = "using the current token until it expires";
    assert_eq!(says(&home, &["token", "p", "acme"], 0, &[used, "typo"]), "OLD\n");
    fs::remove_file(&file).expect("removed");
    assert_eq!(says(&home, &["token", "p", "acme"], 0, &[]), "OLD\n");
    home.expire();
    says(&home, &["token", "p", "acme"], 3, &["expired", "hint: "]);
    assert_eq!(server.bodies().len(), 0);
}

#[test]
fn expired_token_without_a_method_is_expired() {
    for refresh in [json!({"strategy": "none"}), Value::Null] {
        let home = Home::described(json!({"refresh": refresh}));
        home.logged_in(&tokens(), EXPIRED);
        says(&home, &["token", "p", "acme"], 3, &["expired", "hint: ", "authenticate p acme"]);
    }
    let server = refresh_server();
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD"}), EXPIRED);
    says(&home, &["token", "p", "acme"], 3, &["expired"]);
}

#[test]
fn order_continues_after_a_login_that_cannot_be_refreshed() {
    let home = Home::described(json!({"refresh": {"strategy": "none"}}));
    home.logged_in(&tokens(), EXPIRED);
    let work =
        authenticate::credential::Address { profile: "work".parse().expect("a name"), ..home.address() };
    let key = authenticate::credential::Credential::api_key("of-work");
    home.store().put(&work, &key, &Default::default()).expect("stored");
    project(&home, "profiles: {acme: [default, work]}\n");
    assert_eq!(says(&home, &["token", "p", "acme"], 0, &["acme"]), "of-work\n");
}

#[test]
fn order_continues_after_a_login_that_the_vendor_ended() {
    let server = Server::answering(Some((400, r#"{"error": "invalid_grant"}"#)));
    let home = Home::new(&server.url);
    let account = |profile: &str| authenticate::credential::Address {
        profile: profile.parse().expect("a name"),
        ..home.address()
    };
    for profile in ["work", "play"] {
        home.logged_in_at(&account(profile), &tokens(), EXPIRED, Default::default());
    }
    project(&home, "profiles: {acme: [work, play, key]}\n");
    // Found out by asking, and remembered; what is said is why the last one cannot be had.
    says(&home, &["token", "p", "acme"], 3, &["invalid_grant"]);
    assert_eq!(server.bodies().len(), 2);
    let key = authenticate::credential::Credential::api_key("of-key");
    home.store().put(&account("key"), &key, &Default::default()).expect("stored");
    let skipped = &["acme:work has to be logged in again", "acme:play has to be logged in again"];
    for _ in 0..2 {
        assert_eq!(says(&home, &["token", "p", "acme"], 0, skipped), "of-key\n");
    }
    // Whoever names one gets that one or none.
    says(&home, &["token", "p", "acme:work"], 3, &["acme:work", "invalid_grant"]);
    assert_eq!(server.bodies().len(), 2);
    home.logged_in_at(&account("work"), &tokens(), EXPIRED, Default::default());
    assert_eq!(says(&home, &["token", "p", "acme"], 0, skipped), "of-key\n");
    assert_eq!(server.bodies().len(), 3, "a new login is asked about");
    let client = authenticate::Client::new(home.paths.clone()).project("p".parse().expect("a name"));
    assert!(runtime().block_on(client.is_authenticated("acme")).expect("known"));
}

#[test]
fn bundle_variable_is_read_before_a_refresh() {
    let server = refresh_server();
    let home = Home::new(&server.url);
    home.logged_in(&tokens(), EXPIRED);
    project(&home, "ca_bundle: env:CERTIFICATES\nengine: env:NOT_USED_HERE\n");
    says(&home, &["token", "p", "acme"], 2, &["ca_bundle of the project", "CERTIFICATES"]);
    assert_eq!(server.bodies().len(), 0);
    assert_eq!(home.store().attempt(&home.address()).expect("read"), None);
    let token = ends(home.command(&["token", "p", "acme"]).env("CERTIFICATES", BUNDLE), 0, &[]);
    assert_eq!(token, "NEW\n");
}

#[test]
fn bundle_variable_is_read_before_a_logout() {
    let server = Server::answering(Some((200, "")));
    let revoke = json!({"revoke": {"url": server.url.replace("/token", "/revoke"), "client_id": "x"}});
    for (value, asked) in [(None, 0), (Some(BUNDLE), 2)] {
        let home = Home::described(revoke.clone());
        home.logged_in(&tokens(), SignedDuration::from_hours(1));
        project(&home, "ca_bundle: env:CERTIFICATES\n");
        let mut command = home.command(&["logout", "p", "acme"]);
        command.envs(value.map(|value| ("CERTIFICATES", value)));
        let said = if value.is_some() { "revoked it at the vendor" } else { "NOT revoked at the vendor" };
        ends(&mut command, 0, &["removed acme from this machine", said]);
        assert_eq!(server.bodies().len(), asked);
        assert_eq!(home.store().get(&home.address()).expect("read"), None);
    }
}

/// The wrong file may be the one that names the revocation endpoint.
#[test]
fn wrong_descriptor_prevents_a_revocation() {
    let (server, proxy) = (Server::answering(Some((200, ""))), Server::answering(Some((500, ""))));
    let home = Home::new(&server.url);
    let record = home.logged_in(&tokens(), EXPIRED);
    let codex = authenticate::credential::Address::default_profile("codex".parse().expect("a name"));
    for provider in ["codex", "acme"] {
        let file = home.paths.providers().join(format!("{provider}.yaml"));
        fs::write(&file, format!(r#"{{"revoke": {{"url": "{}", "typo": 1}}}}"#, server.url))
            .expect("written");
        let address = if provider == "codex" { codex.clone() } else { home.address() };
        home.store().put(&address, &record.credential, &record.metadata).expect("stored");
        let wrong = [&*format!("{provider}.yaml:1:"), "unknown field \"typo\""];
        let leave = |words: &[&str]| {
            let mut command = home.command(words);
            command.env("HTTPS_PROXY", proxy.url.trim_end_matches("/token"));
            command
        };
        ends(&mut leave(&["revoke", "p", provider]), 2, &wrong);
        assert!(home.store().get(&address).expect("read").is_some());
        let not = format!("{provider} was NOT revoked at the vendor, where it stays valid: ");
        let said = [&*not, wrong[0], wrong[1], "from this machine; it was not revoked at the vendor"];
        ends(&mut leave(&["logout", "p", provider]), 0, &said);
        assert!(home.store().get(&address).expect("read").is_none());

        home.store().put(&address, &record.credential, &record.metadata).expect("stored");
        let printed = ends(&mut leave(&["logout", "p", provider, "--json"]), 0, &[]);
        let report: Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!((&report["removed"], &report["revocation"]), (&json!(true), &json!("wrong_descriptor")));
        assert!(report["revocation_error"].as_str().expect("a text").contains("typo"), "{report}");
    }
    // By the library it is the same.
    home.store().put(&home.address(), &record.credential, &record.metadata).expect("stored");
    let client = authenticate::Client::new(home.paths.clone());
    let left = runtime().block_on(client.logout("acme", None)).expect("removed");
    assert!(matches!(left.revocation, Revocation::Wrong(_)), "{left:?}");
    assert_eq!((server.bodies().len(), proxy.bodies().len()), (0, 0));
}

/// As with a login: no problems found with the network.
#[test]
fn unreadable_certificates_are_a_configuration_error() {
    let server = refresh_server();
    let home = Home::new(&server.url);
    project(&home, "ca_bundle: /nonexistent/bundle.pem\n");
    home.logged_in(&tokens(), EXPIRED);
    for args in [&["refresh", "p", "acme"][..], &["token", "p", "acme"]] {
        says(&home, args, 2, &["cannot use the certificates in /nonexistent/bundle.pem"]);
        // Whoever waits is not told that the vendor was asked in vain.
        let store = home.store();
        assert_eq!(store.backoff(&home.address()).expect("read"), None);
        assert_eq!(store.attempt(&home.address()).expect("read"), None);
    }
    let native = home.paths.providers().join("robot.yaml");
    let url = &server.url;
    let flow = format!("{{token_url: '{url}', client_id: demo, client_secret: 'env:SECRET'}}");
    let text = format!("label: Robot\nmodes: [client_credentials]\nclient_credentials: {flow}\n");
    fs::write(native, text).expect("written");
    let mut login = home.command(&["p", "robot"]);
    ends(login.env("SECRET", "s"), 2, &["cannot use the certificates in /nonexistent/bundle.pem"]);
    assert_eq!(server.bodies().len(), 0);
}
