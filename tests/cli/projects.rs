//! `authenticate projects`

use std::{fs, os::unix::fs::symlink};

use serde_json::json;
use test_support::{Home, KEY, code};

#[test]
fn project_needs_no_file() {
    let home = Home::new();
    home.authenticate(["projects"]).exits(code::DONE).says("a project works without one");
    assert_eq!(home.authenticate(["projects", "--json"]).exits(code::DONE).json()["projects"], json!([]));
}

#[test]
fn projects_with_a_file_are_listed() {
    let home = Home::new();
    home.write(
        "config/projects/shop.yaml",
        "credential_set: team\nengine: podman\nenv: {DEBUG: 'yes'}\nextra_hosts: [db:10.0.0.1]\n",
    );
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
            "ca_bundle": null, "env": ["DEBUG"], "extra_hosts": ["db:10.0.0.1"], "profiles": [],
        })
    );
}

#[test]
fn invalid_project_file_hides_no_other() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.write("config/projects/blog.yaml", "engin: podman\nca_bundle: ca.pem\n");
    let outcome = home.authenticate(["projects"]).exits(code::USAGE);
    outcome.prints("shop");
    assert!(outcome.stderr.contains("blog.yaml:1:1: unknown field \"engin\" (did you mean \"engine\"?)"));
}

#[test]
fn project_file_can_end_in_yml() {
    let home = Home::new();
    let first = home.write("config/projects/shop.yml", "credential_set: team\n");
    home.authenticate(["projects"]).exits(code::DONE).prints("team");
    home.authenticate(["shop", "openai", "--api-key-stdin"]).input(KEY).exits(code::DONE);
    assert_eq!(home.keys()[0].0, "team/openai/default");
    let second = home.write("config/projects/shop.yaml", "credential_set: other\n");
    let says =
        format!("{}: the project has two files: remove this one or {}", first.display(), second.display());
    for arguments in [&["projects"][..], &["shop", "openai", "--api-key-stdin"]] {
        let outcome = home.authenticate(arguments).input(KEY).exits(code::USAGE);
        assert!(outcome.stderr.contains(&says), "{outcome:?}");
    }
}

#[test]
fn project_file_with_an_invalid_name_is_reported() {
    let home = Home::new();
    home.write("config/projects/shop.yaml", "credential_set: team\n");
    home.write("config/projects/my shop.yaml", "credential_set: team\n");
    let outcome = home.authenticate(["projects"]).exits(code::USAGE);
    outcome.prints("shop");
    assert!(
        outcome.stderr.contains("my shop.yaml: the file's name is not that of a project: "),
        "{outcome:?}"
    );
}

#[test]
fn unreadable_directory_of_projects_is_an_error() {
    let home = Home::new();
    home.write("config/projects", "not a directory");
    for arguments in [&["projects"][..], &["demo", "openai", "--api-key-stdin"]] {
        home.authenticate(arguments).input(KEY).exits(code::USAGE).says("cannot be read: Not a directory");
    }
    assert!(home.stored().is_empty());
}

/// Perhaps to a disk that is not mounted just now: what is there must not count as if it were not.
#[test]
fn dangling_link_to_a_project_file_is_an_error() {
    for place in ["config", "config/projects", "config/providers", "config/config.yaml"] {
        let home = Home::new();
        let link = home.path().join(place);
        fs::create_dir_all(link.parent().expect("a directory")).expect("made");
        let _ = fs::remove_dir(&link);
        symlink(home.path().join("unmounted"), &link).expect("linked");
        let outcome = home.authenticate(["demo", "openai", "--api-key-stdin"]).input(KEY).exits(code::USAGE);
        assert!(outcome.stderr.contains(link.to_str().expect("text")), "{outcome:?}");
        assert!(home.stored().is_empty(), "{place}");
    }
}

#[test]
fn wrong_types_do_not_hide_broken_rules() {
    let home = Home::new();
    home.write("config/projects/blog.yaml", "engin: podman\nca_bundle: ca.pem\nenv: [a]\nextra_hosts: [x]\n");
    let outcome = home.authenticate(["projects"]).exits(code::USAGE);
    for wrong in [
        ":1:1: unknown field \"engin\"",
        ":2:1: ca_bundle: \"ca.pem\" is not an absolute path",
        ":3:1: invalid type: a list, expected a mapping",
        ":4:15: extra_hosts[0]: ",
    ] {
        assert!(outcome.stderr.contains(wrong), "{wrong}: {}", outcome.stderr);
    }
}
