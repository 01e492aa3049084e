//! `authenticate refresh`, and `token` for a login that is due.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use authenticate::credential::{Address, Credential, Metadata};
use jiff::SignedDuration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use test_support::{
    Issuer, Server, eventually,
    issuer::CLIENT,
    refresh::{EXPIRED, Home, access_token},
    runtime,
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn token_refreshes_an_expired_login() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let before = home.logged_in(&issuer.login(), EXPIRED);
    let ran = home.run(&["token", "p", "acme"]);
    assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(0), String::new()));
    assert_ne!(text(&ran.stdout).trim_end(), access_token(&before));
    assert_eq!(text(&ran.stdout).trim_end(), access_token(&home.record()));
}

#[test]
fn token_refreshes_shortly_before_expiry_or_uses_the_current_token() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let before = home.logged_in(&issuer.login(), SignedDuration::from_mins(6));
    assert_eq!(text(&home.run(&["token", "p", "acme"]).stdout).trim_end(), access_token(&before));
    let before = home.logged_in(&issuer.login(), SignedDuration::from_mins(4));
    assert_ne!(text(&home.run(&["token", "p", "acme"]).stdout).trim_end(), access_token(&before));

    let before = home.logged_in(&issuer.login(), SignedDuration::from_mins(4));
    drop(issuer);
    let ran = home.run(&["token", "p", "acme"]);
    assert_eq!((ran.status.code(), text(&ran.stdout).trim_end()), (Some(0), &*access_token(&before)));
    assert!(text(&ran.stderr).contains("using the current token until it expires"), "{}", text(&ran.stderr));
}

/// It may want a person to touch something.
#[test]
fn passphrase_command_is_run_once() {
    let issuer = Issuer::start(&["--expires-in", "0"]);
    let home = Home::new(&issuer.token_url());
    let runs = home.paths.config().join("runs");
    let script = format!("echo run >> '{}'; echo passphrase", runs.display());
    let command = json!({"store": {"passphrase_command": ["/bin/sh", "-c", script]}});
    std::fs::write(home.paths.config().join("config.yaml"), command.to_string()).expect("written");
    home.logged_in(&issuer.login(), EXPIRED);
    let counted = || std::fs::read_to_string(&runs).expect("runs").lines().count();
    for arguments in [
        &["token", "p", "acme"][..],
        &["refresh", "p", "acme", "--force"],
        &["refresh"],
        &["logout", "p", "acme"],
    ] {
        home.expire();
        let before = counted();
        let ran = home.run(arguments);
        assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {}", text(&ran.stderr));
        assert_eq!(counted() - before, 1, "{arguments:?}");
    }
    home.logged_in(&issuer.login(), EXPIRED);
    let before = counted();
    let client = authenticate::Client::new(home.paths.clone());
    runtime().block_on(client.credential("acme")).expect("refreshed");
    assert_eq!(counted() - before, 1, "by the library");
    assert_eq!(issuer.exchanges(), 4);
    // Nobody holds the key any more.
    drop(client);
    drop(home.store().get(&home.address()).expect("read"));
    assert_eq!(counted() - before, 2);
}

#[test]
fn client_id_can_come_from_the_environment() {
    let issuer = Issuer::start(&[]);
    let refresh =
        json!({"strategy": "oauth", "token_url": issuer.token_url(), "client_id": "env:ACME_TEST_CLIENT"});
    let home = Home::described(json!({"refresh": refresh}));
    let before = home.logged_in(&issuer.login(), EXPIRED);
    let ran = home.run(&["refresh", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(2), "{}", text(&ran.stderr));
    let says = "refresh.client_id: the environment variable ACME_TEST_CLIENT is not set";
    assert!(text(&ran.stderr).contains(says), "{}", text(&ran.stderr));
    let ran = home.command(&["refresh", "p", "acme"]).env("ACME_TEST_CLIENT", CLIENT).output().expect("ran");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert_ne!(access_token(&home.record()), access_token(&before));
}

#[test]
fn unreadable_credential_does_not_prevent_other_refreshes() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    let before = home.logged_in(&issuer.login(), EXPIRED);
    let odd = Address::default_profile("aaa".parse().expect("a name"));
    home.store().put(&odd, &Credential::api_key("kkk"), &Metadata::default()).expect("stored");
    let database = home.paths.data().join(authenticate::store::FILE_NAME);
    let altered = "UPDATE credential SET secret = zeroblob(80) WHERE provider = 'aaa'";
    rusqlite::Connection::open(database).expect("opened").execute(altered, []).expect("altered");
    let ran = home.run(&["refresh"]);
    assert_eq!(ran.status.code(), Some(6), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("aaa"), "{}", text(&ran.stderr));
    assert_ne!(access_token(&home.record()), access_token(&before));
}

#[test]
fn exit_code_tells_the_kind_of_failure() {
    let gone = Server::answering(Some((400, r#"{"error": "invalid_grant"}"#)));
    let home = Home::new(&gone.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    for verb in ["refresh", "token"] {
        let ran = home.run(&[verb, "p", "acme"]);
        assert_eq!(ran.status.code(), Some(3), "{}", text(&ran.stderr));
        assert!(
            text(&ran.stderr).contains("the vendor has rejected the refresh token of acme: invalid_grant")
        );
        assert!(text(&ran.stderr).contains("hint: log in again with: authenticate p acme"));
    }
    let busy = Server::answering(Some((503, "{}")));
    let home = Home::new(&busy.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    assert_eq!(home.run(&["refresh", "p", "acme"]).status.code(), Some(7));
    home.store().put(&home.address(), &Credential::api_key("kkk"), &Metadata::default()).expect("stored");
    let ran = home.run(&["refresh", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("acme cannot be refreshed: only an OAuth login can be refreshed"));
    assert_eq!(home.run(&["refresh", "p", "openai"]).status.code(), Some(3));
    assert_eq!(home.run(&["refresh", "p", "nonesuch"]).status.code(), Some(2));
}

#[test]
fn refresh_without_a_name_continues_after_failures() {
    let issuer = Issuer::start(&[]);
    let home = Home::new(&issuer.token_url());
    home.logged_in(&issuer.login(), EXPIRED);
    let mut store = home.store();
    let key = "openai".parse().map(authenticate::credential::Address::default_profile).expect("a name");
    store.put(&key, &Credential::api_key("kkk"), &Metadata::default()).expect("stored");
    let spent =
        authenticate::credential::Address { profile: "spent".parse().expect("a name"), ..home.address() };
    let Credential::OAuth(mut tokens) = home.record().credential else { panic!("not OAuth") };
    tokens.refresh_token = Some("rt_unknown".into());
    let expired = Metadata { expires_at: home.record().metadata.expires_at, ..Metadata::default() };
    store.put(&spent, &Credential::OAuth(tokens), &expired).expect("stored");
    drop(store);

    let ran = home.run(&["refresh", "--json"]);
    assert_eq!(ran.status.code(), Some(3), "{}", text(&ran.stderr));
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let rows = report["credentials"].as_array().expect("rows");
    let short: Vec<_> =
        rows.iter().map(|row| (&row["profile"], &row["outcome"], &row["needs_login"])).collect();
    assert_eq!(
        short,
        [
            (&json!("default"), &json!("refreshed"), &json!(false)),
            (&json!("spent"), &json!("failed"), &json!(true)),
        ]
    );
    let ran = home.run(&["refresh"]);
    assert!(text(&ran.stderr).contains("acme is not due for a refresh"), "{}", text(&ran.stderr));
    let ran = home.run(&["refresh", "p", "acme", "--force"]);
    assert_eq!((ran.status.code(), text(&ran.stderr).trim()), (Some(0), "refreshed acme"));
}

/// Also that it took long: a vendor that is silent is given up by the second one.
#[test]
fn results_before_ctrl_c_are_printed() {
    for as_json in [false, true] {
        let refreshes = Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)));
        let (silent, _never) = Server::held(200, "{}");
        let home = Home::new(&refreshes.url);
        home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
        let other = std::fs::read_to_string(home.paths.providers().join("acme.yaml")).expect("described");
        let other = other.replace(&refreshes.url, &silent.url).replace("\"acme\"", "\"later\"");
        std::fs::write(home.paths.providers().join("later.yaml"), other).expect("written");
        let (record, later) = (home.record(), Address::default_profile("later".parse().expect("a name")));
        home.store().put(&later, &record.credential, &record.metadata).expect("stored");

        let mut command = home.command(if as_json { &["refresh", "--json"] } else { &["refresh"] });
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        eventually("the second one's request", || !silent.bodies().is_empty());
        let process = Pid::from_child(&running);
        let interrupt = || kill_process(process, Signal::INT).expect("sent");
        interrupt();
        let mut errors = BufReader::new(running.stderr.take().expect("piped"));
        let mut said = String::new();
        errors.read_line(&mut said).expect("read");
        assert!(said.contains("waiting for the vendor's answer"), "{said}");
        interrupt();
        errors.read_to_string(&mut said).expect("read");
        let mut printed = String::new();
        running.stdout.take().expect("piped").read_to_string(&mut printed).expect("read");
        assert_eq!(running.wait().expect("ended").code(), Some(130), "{said}");
        if as_json {
            let report: Value = serde_json::from_str(&printed).expect("JSON");
            let rows = report["credentials"].as_array().expect("rows");
            let short: Vec<_> = rows.iter().map(|row| (&row["provider"], &row["outcome"])).collect();
            assert_eq!(short, [(&json!("acme"), &json!("refreshed"))]);
        } else {
            assert!(said.contains("refreshed acme"), "{said}");
        }
    }
}

/// Chosen as `token` does, or it would refresh an account that is not used.
#[test]
fn refresh_chooses_the_account_that_token_uses() {
    let server = Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)));
    let home = Home::new(&server.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let account = |profile: &str| Address { profile: profile.parse().expect("a name"), ..home.address() };
    let store = |profile: &str| {
        home.store().put(&account(profile), &record.credential, &record.metadata).expect("stored");
    };
    let token =
        |profile: &str| access_token(&home.store().get(&account(profile)).expect("read").expect("stored"));
    home.store().remove(&home.address()).expect("removed");
    store("work");
    let ran = home.run(&["refresh", "p", "acme"]);
    assert_eq!((ran.status.code(), text(&ran.stderr).trim()), (Some(0), "refreshed acme:work"));
    assert_eq!(token("work"), "NEW");

    store("work");
    store("play");
    let ran = home.run(&["refresh", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(2), "{}", text(&ran.stderr));
    let says = "several accounts of acme are stored: acme:play, acme:work";
    assert!(text(&ran.stderr).contains(says), "{}", text(&ran.stderr));

    std::fs::create_dir_all(home.paths.projects()).expect("made");
    let order = "profiles: {acme: [away, play, work]}\n";
    std::fs::write(home.paths.projects().join("p.yaml"), order).expect("written");
    let ran = home.run(&["refresh", "p", "acme"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).ends_with("refreshed acme:play\n"), "{}", text(&ran.stderr));
    assert_eq!((token("play"), token("work")), ("NEW".into(), "OLD".into()));
    assert_eq!(home.run(&["refresh", "p", "acme:work"]).status.code(), Some(0));
    assert_eq!(token("work"), "NEW");
    let recorded = home.store().audit_log(None, 100).expect("read");
    assert!(recorded.iter().all(|entry| entry.action != "token"), "{recorded:?}");
}

/// Two logins, the first of which is refreshed by a server that waits for us.
fn two(first: &Server, second: &Server) -> Home {
    let home = Home::new(&first.url);
    let record = home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let other = std::fs::read_to_string(home.paths.providers().join("acme.yaml")).expect("described");
    let other = other.replace(&first.url, &second.url).replace("\"acme\"", "\"later\"");
    std::fs::write(home.paths.providers().join("later.yaml"), other).expect("written");
    let later = Address::default_profile("later".parse().expect("a name"));
    home.store().put(&later, &record.credential, &record.metadata).expect("stored");
    home
}

#[test]
fn ctrl_c_starts_no_further_refresh() {
    let (first, tell) = Server::held(200, r#"{"access_token": "NEW", "expires_in": 3600}"#);
    let second = Server::answering(Some((200, r#"{"access_token": "NEW", "expires_in": 3600}"#)));
    let home = two(&first, &second);
    let running = home.command(&["refresh"]).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the first one's request", || !first.bodies().is_empty());
    kill_process(Pid::from_child(&running), Signal::INT).expect("sent");
    tell.send(()).expect("told");
    let output = running.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("refreshed acme"), "{said}");
    assert_eq!(second.bodies().len(), 0);
}

#[test]
fn ctrl_c_starts_no_further_logout() {
    let (first, tell) = Server::held(200, "");
    let second = Server::answering(Some((200, "")));
    let home = two(&first, &second);
    for (name, server) in [("acme", &first), ("later", &second)] {
        let file = home.paths.providers().join(format!("{name}.yaml"));
        let text = std::fs::read_to_string(&file).expect("described");
        let revoke = format!(r#"{{"revoke": {{"url": "{}", "client_id": "x"}},"#, server.url);
        std::fs::write(&file, text.replacen('{', &revoke, 1)).expect("written");
    }
    let running = home.command(&["logout", "--all"]).stderr(Stdio::piped()).spawn().expect("started");
    eventually("the first one's request", || !first.bodies().is_empty());
    kill_process(Pid::from_child(&running), Signal::INT).expect("sent");
    for _ in 0..2 {
        tell.send(()).expect("told");
    }
    let output = running.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("removed acme"), "{said}");
    assert_eq!(second.bodies().len(), 0);
    assert_eq!(home.store().count().expect("counted"), 1);
}

#[test]
fn each_failure_of_refresh_all_is_reported() {
    let server = Server::answering(Some((503, "{}")));
    let home = Home::new(&server.url);
    home.logged_in(&json!({"access_token": "OLD", "refresh_token": "RRR"}), EXPIRED);
    let ran = home.run(&["refresh"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("could not refresh ") && said.contains("(status 503)"), "{said}");
    let ran = home.run(&["refresh", "--json"]);
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let error = report["credentials"][0]["error"].as_str().expect("why");
    assert!(error.contains("(status 503)"), "{error}");
}
