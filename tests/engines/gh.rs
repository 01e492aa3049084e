//! The real gh logs in to a stand-in for a GitHub host.

use authenticate::credential::Credential;
use serde_json::{Value, json};

use crate::harness::{Home, Place, Pod};

fn host(place: Place, names: &[&str]) -> Pod {
    Pod::https(place, names, &["github", "--auto-approve", "1"])
}

fn log_in(home: &Home, host: &Pod) -> Value {
    home.project("g", host.project());
    home.image("gh");
    home.run(&["g", "gh", "--mode", "oauth"]).expect(0);
    home.assert_nothing_left();
    let status = home.status();
    let [row] = &status["credentials"].as_array().expect("rows")[..] else { panic!("{status}") };
    assert_eq!((&row["kind"], &row["account"]), (&json!("token"), &json!("octocat")));
    let record = home.record("gh").expect("stored");
    let Credential::Token { token } = &record.credential else { panic!("{:?}", record.credential.kind()) };
    let issued = host.issued();
    assert_eq!(issued.len(), 1);
    assert_eq!(token.expose(), issued[0]["access_token"]);
    row["host"].clone()
}

fn keeps_the_host(place: Place) {
    let github = host(place, &["github.com", "api.github.com"]);
    assert_eq!(log_in(&Home::on(place), &github), "github.com");
}

#[test]
fn keeps_the_host_on_docker() {
    keeps_the_host(Place::Docker);
}

#[test]
fn keeps_the_host_on_rootless_docker() {
    keeps_the_host(Place::RootlessDocker);
}

#[test]
fn keeps_the_host_on_podman() {
    keeps_the_host(Place::Podman);
}

#[test]
fn keeps_the_host_on_rootless_podman() {
    keeps_the_host(Place::PodmanAsUser);
}

#[test]
fn an_enterprise_hosts_token_stays_bound_to_it() {
    let place = Place::Docker;
    let github = host(place, &["github.com", "api.github.com"]);
    let enterprise = host(place, &["git.example.org"]);
    let home = Home::on(place);
    let login = ["gh", "auth", "login", "--hostname", "git.example.org", "--web", "--git-protocol", "https"];
    home.provider("gh", json!({"command": login}));
    assert_eq!(log_in(&home, &enterprise), "git.example.org");
    let token: Value =
        serde_json::from_str(&home.run(&["token", "g", "gh", "--json"]).expect(0).out).unwrap();
    assert_eq!(token["host"], "git.example.org");
    let asked = github.get("/test/requests");
    let asked: Vec<_> = asked.as_array().expect("a list").iter().filter(|r| !is_ours(r)).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// Whether a test asked it.
fn is_ours(request: &Value) -> bool {
    request["path"].as_str().is_some_and(|path| path.starts_with("/test/"))
}
