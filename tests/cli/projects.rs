//! `authenticate projects`

use serde_json::json;

use crate::harness::{Home, code};

#[test]
fn a_project_needs_no_file() {
    let home = Home::new();
    home.authenticate(["projects"]).exits(code::DONE).says("a project needs none");
    assert_eq!(home.authenticate(["projects", "--json"]).exits(code::DONE).json()["projects"], json!([]));
}

#[test]
fn those_with_a_file_are_listed() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\nengine: podman\n");
    home.write("config/projects/blog.yaml", "network: host\n");
    let outcome = home.authenticate(["projects"]).exits(code::DONE);
    let lines: Vec<Vec<_>> = outcome.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines,
        [
            ["PROJECT", "SET", "ENGINE", "IMAGE", "NETWORK"],
            ["blog", "default", "-", "-", "host"],
            ["shop", "team", "podman", "-", "-"]
        ]
    );
    let projects = home.authenticate(["projects", "--json"]).exits(code::DONE).json();
    assert_eq!(
        projects["projects"][1],
        json!({
            "name": "shop", "credential_set": "team", "image": null, "engine": "podman", "network": null,
            "ca_bundle": null, "profiles": [],
        })
    );
}

#[test]
fn one_wrong_file_does_not_hide_the_others() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.write("config/projects/blog.yaml", "engin: podman\nca_bundle: ca.pem\n");
    let outcome = home.authenticate(["projects"]).exits(code::USAGE);
    outcome.prints("shop");
    assert!(outcome.stderr.contains("blog.yaml:1:1: unknown field \"engin\" (did you mean \"engine\"?)"));
}
