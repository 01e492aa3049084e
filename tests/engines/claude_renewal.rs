//! The real Claude Code renews its login when it is told to, at a stand-in that is its issuer by name and certificate.

use authenticate::credential::{Credential, OAuth};
use serde_json::{Value, json};

use crate::harness::{Home, Place, Pod};

/// The host that Claude Code renews at.
const ISSUER: &str = "platform.claude.com";
/// Its client there.
const CLIENT: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
const SCOPES: &str = "user:inference user:profile";

fn issuer(place: Place) -> Pod {
    issuer_of(place, CLIENT)
}

fn issuer_of(place: Place, client: &str) -> Pod {
    Pod::https(place, &[ISSUER], &["issuer", "--client-id", client, "--scope", SCOPES])
}

fn expired(place: Place, issuer: &Pod) -> (Home, Value) {
    expired_of(place, issuer, CLIENT)
}

/// A home with the login of Claude Code, which the issuer gave out to that client and which is past its time.
fn expired_of(place: Place, issuer: &Pod, client: &str) -> (Home, Value) {
    let home = Home::on(place);
    home.project("demo", issuer.project());
    home.image("claude");
    let tokens = issuer.login();
    let login = json!({
        "accessToken": tokens["access_token"],
        "refreshToken": tokens["refresh_token"],
        "expiresAt": 1_700_000_000_000_u64,
        "scopes": SCOPES.split(' ').collect::<Vec<_>>(),
        "subscriptionType": "max",
        "clientId": client,
    });
    home.file(".credentials.json", &json!({"claudeAiOauth": login}).to_string());
    home.run(&["import", "demo", "claude", "--from", ".", "--move"]).expect(0);
    (home, tokens)
}

fn stored(home: &Home) -> OAuth {
    match home.record("claude").expect("stored").credential {
        Credential::OAuth(oauth) => oauth,
        other => panic!("{other:?}"),
    }
}

fn is_renewed(place: Place) {
    let issuer = issuer(place);
    let (home, old) = expired(place, &issuer);
    home.run(&["refresh", "demo", "claude"]).expect(0);
    let issued = issuer.issued();
    let (grants, new) = (issued.iter().map(|issued| issued["grant"].clone()), &issued[1]["tokens"]);
    assert_eq!(grants.collect::<Vec<_>>(), ["test", "refresh_token"], "rotated once");
    let oauth = stored(&home);
    assert_eq!(oauth.access_token.expose(), new["access_token"]);
    assert_eq!(oauth.refresh_token.expect("one").expose(), new["refresh_token"]);
    assert_ne!(new["refresh_token"], old["refresh_token"]);
    assert_eq!(oauth.extra["subscription_type"].expose(), "max", "the rest is kept");
    assert_eq!(home.run(&["token", "demo", "claude"]).expect(0).out.trim(), new["access_token"]);
    assert_eq!(issuer.issued().len(), 2, "and not again");
    assert_eq!(issuer.get("/test/revoked"), json!([]));
    home.assert_nothing_left();
}

#[test]
fn on_docker() {
    is_renewed(Place::Docker);
}

#[test]
fn on_rootless_docker_as_an_ordinary_user() {
    is_renewed(Place::RootlessDocker);
}

#[test]
fn on_podman() {
    is_renewed(Place::Podman);
}

#[test]
fn on_rootless_podman_as_an_ordinary_user() {
    is_renewed(Place::PodmanAsUser);
}

/// The capture map does not name the client. With another one than that of the login the issuer would refuse.
#[test]
fn client_that_the_login_was_made_with_renews_it() {
    let client = "0a1b2c3d-0000-4000-8000-000000000001";
    let issuer = issuer_of(Place::Docker, client);
    let (home, _) = expired_of(Place::Docker, &issuer, client);
    home.run(&["refresh", "demo", "claude"]).expect(0);
    let oauth = stored(&home);
    assert_eq!(oauth.access_token.expose(), issuer.issued()[1]["tokens"]["access_token"]);
    let kept: Value = serde_json::from_str(oauth.extra["login.kept"].expose()).expect("JSON");
    assert_eq!(kept["clientId"], client);
    home.assert_nothing_left();
}

#[test]
fn many_that_ask_at_once_start_one_container() {
    let issuer = Pod::https(Place::Docker, &[ISSUER], &["issuer", "--client-id", CLIENT, "--scope", SCOPES]);
    let (home, _) = expired(Place::Docker, &issuer);
    let asking = [(); 5].map(|()| home.start(&["token", "demo", "claude"]));
    let answers = asking.map(|asking| asking.end().expect(0).out);
    let issued = issuer.issued();
    assert_eq!(issued.len(), 2, "rotated once");
    for answer in answers {
        assert_eq!(answer.trim(), issued[1]["tokens"]["access_token"]);
    }
    home.assert_nothing_left();
}

#[test]
fn a_login_that_the_vendor_has_ended() {
    let issuer = issuer(Place::Docker);
    let (home, old) = expired(Place::Docker, &issuer);
    issuer.revoke(old["refresh_token"].as_str().expect("one"));
    let ended = home.run(&["refresh", "demo", "claude"]).expect(4);
    assert!(ended.err.contains("the vendor's CLI did not refresh claude: it ended with"), "{}", ended.err);
    assert!(ended.err.contains("if it still fails, log in again"), "{}", ended.err);
    assert_eq!(stored(&home).refresh_token.expect("one").expose(), old["refresh_token"]);
    assert_eq!(issuer.issued().len(), 1);
    home.assert_nothing_left();
}
