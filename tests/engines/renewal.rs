//! A login that its vendor's own CLI renews, in a container of its own.

use serde_json::json;

use crate::harness::{Home, Place, acme, acme::describe};

const LOGIN: [&str; 5] = ["p", "acme", "--mode", "oauth", "--no-browser"];
/// Where the CLI keeps its login, inside.
const FILE: &str = "/home/dev/.config/acme/auth.json";

/// A home with a login that is past its time, and a CLI that does this to renew it.
fn expired(place: Place, renew: &str) -> Home {
    let home = acme(place, &[r#"write auth.json {"a":"AAA","r":"RRR","e":1000,"mine":"kept"}"#]);
    describe(
        &home,
        json!({
            "capture": [{
                "file": "auth.json",
                "format": "json",
                "kind": "oauth",
                "fields": {
                    "access_token": "/a",
                    "refresh_token": "/r",
                    "expires_at": {"path": "/e", "as": "unix_seconds"},
                },
            }],
            "refresh": {"strategy": "command", "command": ["sh", "-c", renew]},
        }),
    );
    home.run(&LOGIN).expect(0);
    home
}

fn is_renewed(place: Place) {
    let renew = format!(
        r#"grep -q RRR {FILE} && grep -q AAA {FILE} && echo '{{"a":"BBB","r":"SSS","e":2000000000}}' >{FILE}"#
    );
    let home = expired(place, &renew);
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "BBB\n");
    assert_eq!(home.run(&["token", "p", "acme"]).expect(0).out, "BBB\n", "and not again");
    let status = home.status();
    assert_eq!(status["credentials"][0]["state"], "ok", "{status}");
    home.assert_nothing_left();
}

#[test]
fn by_its_own_cli_on_docker() {
    is_renewed(Place::Docker);
}

#[test]
fn by_its_own_cli_on_rootless_docker_as_an_ordinary_user() {
    is_renewed(Place::RootlessDocker);
}

#[test]
fn by_its_own_cli_on_podman() {
    is_renewed(Place::Podman);
}

#[test]
fn by_its_own_cli_on_rootless_podman_as_an_ordinary_user() {
    is_renewed(Place::PodmanAsUser);
}

#[test]
fn a_cli_that_changes_nothing_may_be_asked_again() {
    let home = expired(Place::Docker, "exit 7");
    for _ in 0..2 {
        let ended = home.run(&["token", "p", "acme"]).expect(4);
        assert!(ended.err.contains("did not renew acme: it ended with exit code 7"), "{}", ended.err);
    }
    home.assert_nothing_left();
}

#[test]
fn a_cli_that_signs_out_needs_a_login() {
    let home = expired(Place::Docker, &format!("echo '{{}}' >{FILE}"));
    let ended = home.run(&["token", "p", "acme"]).expect(3);
    assert!(ended.err.contains("took the login out of its files"), "{}", ended.err);
    assert_eq!(home.status()["credentials"][0]["state"], "needs login");
    let again = home.run(&["token", "p", "acme"]).expect(3);
    assert!(again.err.contains("took the login out of its files"), "remembered: {}", again.err);
    home.assert_nothing_left();
}
