//! Images of logins: built once, anew after an edit, and pruned.

use std::{
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use test_support::{Ended, Running};

use crate::harness::{Home, Place, acme, output};

/// Gives the provider an image of the user's own, with something in it that no earlier run had.
fn edit(home: &Home, text: &str) {
    let run = SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_nanos();
    let file = format!("FROM scratch\nCOPY ca.pem /\nLABEL run={run} text={text}\n");
    home.file("config/images/acme-test/Containerfile", &file);
}

fn build(home: &Home, url: &str) -> Ended {
    home.run(&["image", "build", "acme", "--engine", url, "--network", "host"]).expect(0)
}

fn is_built_once_and_again_after_an_edit(place: Place) {
    let home = Home::on(place);
    acme::describe(&home, json!({"image": {"name": "acme-test"}}));
    let id = |tag: &str| place.ask(&["image", "inspect", "--format", "{{.Id}}", tag]);

    edit(&home, "one");
    let first = build(&home, place.url());
    assert!(first.err.contains("building"), "{}", first.err);
    let first = first.out.trim();
    let first_id = id(first);
    let again = build(&home, place.url());
    assert_eq!((again.out.trim(), again.err.as_str()), (first, ""), "the second build does nothing");
    assert_eq!(id(first), first_id);

    edit(&home, "two");
    let second = build(&home, place.url());
    assert_ne!(second.out.trim(), first);
    place.ask(&["rmi", first, second.out.trim()]);
}

#[test]
fn is_built_once_and_again_after_an_edit_on_docker() {
    is_built_once_and_again_after_an_edit(Place::Docker);
}

#[test]
fn is_built_once_and_again_after_an_edit_on_rootless_docker() {
    is_built_once_and_again_after_an_edit(Place::RootlessDocker);
}

#[test]
fn is_built_once_and_again_after_an_edit_on_podman() {
    is_built_once_and_again_after_an_edit(Place::Podman);
}

#[test]
fn is_built_once_and_again_after_an_edit_on_rootless_podman() {
    is_built_once_and_again_after_an_edit(Place::PodmanAsUser);
}

/// A Podman with no images but ours: pruning would take those of others, too.
fn own_engine(directory: &Path) -> (Running, String) {
    Place::Podman.url();
    let socket = format!("unix://{}/podman.sock", directory.display());
    let mut podman = Command::new("podman");
    podman.env("CONTAINERS_CONF", "/run/authenticate-testbed/containers.conf");
    podman.arg("--root").arg(directory.join("root")).arg("--runroot").arg(directory.join("run"));
    let podman =
        Running::start(podman.args(["--storage-driver", "vfs", "system", "service", "--time=0", &socket]));
    while !directory.join("podman.sock").exists() {
        assert!(podman.is_running(), "{}", podman.err.text());
        std::thread::yield_now();
    }
    (podman, socket)
}

#[test]
fn prune_removes_what_no_provider_uses_any_more() {
    let home = Home::on(Place::Podman);
    acme::describe(&home, json!({"image": {"name": "acme-test"}}));
    let (podman, url) = own_engine(home.path());
    edit(&home, "one");
    let old = build(&home, &url).out.trim().to_owned();
    edit(&home, "two");
    let new = build(&home, &url).out.trim().to_owned();
    let images = || -> Vec<(String, bool)> {
        let listed = home.run(&["image", "list", "--json", "--engine", &url]).expect(0).out;
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let images = listed["images"].as_array().expect("images").iter();
        let mut images: Vec<_> = images
            .map(|image| (image["tags"][0].as_str().expect("a tag").to_owned(), image["current"] == true))
            .collect();
        images.sort_by_key(|(_, current)| *current);
        images
    };
    // An image that the user built from ours inherits its labels; another one has a tag of the user's, too.
    let docker = |args: &[&str]| {
        let mut docker = Command::new("docker");
        output(docker.env("DOCKER_BUILDKIT", "0").args(["--host", &url]).args(args))
    };
    home.file("own/Containerfile", &format!("FROM {old}\nLABEL own=1\n"));
    let (own, file) = (home.path().join("own"), home.path().join("own/Containerfile"));
    let (own, file) = (own.to_str().expect("text"), file.to_str().expect("text"));
    docker(&["build", "--quiet", "--tag", "localhost/users/own:1", "--file", file, own]);
    docker(&["tag", &new, "localhost/users/tag:1"]);

    assert_eq!(images(), [(old, false), (new.clone(), true)]);
    home.run(&["image", "prune", "--engine", &url]).expect(0);
    assert_eq!(images(), [(new, true)], "the one in use stays");
    home.run(&["image", "prune", "--all", "--engine", &url]).expect(0);
    assert_eq!(images(), []);
    for tag in ["localhost/users/own:1", "localhost/users/tag:1"] {
        docker(&["image", "inspect", tag]);
    }
    podman.signal(Signal::TERM);
    podman.end();
}
