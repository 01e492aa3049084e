//! The real Codex CLI logs in by its device flow.

use authenticate::credential::Credential;
use jiff::Timestamp;
use serde_json::json;

use crate::harness::{Home, Place, Pod};

/// A home in which Codex logs in at our issuer.
pub fn codex(place: Place, issuer: &Pod) -> Home {
    let home = Home::on(place);
    home.provider(
        "codex",
        json!({"headless_command": ["codex", "login", "--device-auth", "--experimental_issuer", issuer.address()]}),
    );
    home.project("cx", issuer.project());
    home.image("codex");
    home
}

/// An issuer that approves at once.
pub fn issuer(place: Place, more: &[&str]) -> Pod {
    Pod::http(place, 9000, &[&["issuer", "--auto-approve", "1"], more].concat())
}

/// Asserts that the store has what the issuer gave out.
pub fn assert_stored_as_issued(home: &Home, issued: &[serde_json::Value]) {
    let [issued] = issued else { panic!("one login, and {} sets of tokens: {issued:?}", issued.len()) };
    let tokens = &issued["tokens"];
    let record = home.record("codex").expect("stored");
    let Credential::OAuth(stored) = &record.credential else { panic!("{:?}", record.credential.kind()) };
    assert_eq!(stored.access_token.expose(), tokens["access_token"]);
    assert_eq!(stored.refresh_token.as_ref().expect("a refresh token").expose(), tokens["refresh_token"]);
    assert_eq!(stored.id_token.as_ref().expect("an id token").expose(), tokens["id_token"]);
    assert_eq!(stored.extra["account_id"].expose(), issued["account"]);
    assert_eq!(record.metadata.account.as_deref(), Some("dev@example.org"));
    let expires_in = record.metadata.expires_at.expect("an expiry").duration_since(Timestamp::now());
    assert!((3400..=3600).contains(&expires_in.as_secs()), "{expires_in}");
    let token = home.run(&["token", "cx", "codex"]).expect(0).out;
    assert_eq!(token.trim_end(), tokens["access_token"]);
}

fn logs_in(place: Place) {
    let issuer = issuer(place, &[]);
    let home = codex(place, &issuer);
    let ended = home.run(&["cx", "codex", "--mode", "oauth"]).expect(0);
    assert!(ended.err.contains("stored oauth"), "{}", ended.err);
    assert_stored_as_issued(&home, &issuer.issued());
    home.assert_nothing_left();
}

#[test]
fn on_docker() {
    logs_in(Place::Docker);
}

#[test]
fn on_docker_as_an_ordinary_user() {
    logs_in(Place::DockerAsUser);
}

#[test]
fn on_rootless_docker_as_an_ordinary_user() {
    logs_in(Place::RootlessDocker);
}

#[test]
fn on_podman() {
    logs_in(Place::Podman);
}

#[test]
fn on_rootless_podman_as_an_ordinary_user() {
    logs_in(Place::PodmanAsUser);
}
