//! The engines that `doctor` finds, and the one that is used when none is named.

use rustix::process::Signal;
use serde_json::{Value, json};
use test_support::Running;

use crate::harness::{Home, Place, acme, acme::LOG_IN, programs};

const WITHOUT_LIMITS: &str = "; without limits on memory and processes";

/// The engines that `doctor` reports with these variables.
fn engines(home: &Home, variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = home.command(&["doctor", "--json"]);
    let ended = Running::start(command.envs(variables.iter().copied())).end().expect(0);
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    let checks = report["checks"].as_array().expect("a list").iter();
    let engines = checks.filter(|check| check["check"] == "engine" && check["ok"] == true);
    let details = engines.map(|check| check["detail"].as_str().expect("text").to_owned());
    details.filter(|detail| !detail.starts_with("not used: ")).collect()
}

fn is_described(place: Place, variable: &str, product: &str, mode: &str) {
    let found = engines(&Home::on(place), &[(variable, place.url())]);
    let end =
        format!(" {mode} at {}{}", place.url(), if place.is_without_limits() { WITHOUT_LIMITS } else { "" });
    assert!(found.iter().any(|said| said.starts_with(product) && said.ends_with(&end)), "{end}: {found:?}");
}

#[test]
fn describes_docker() {
    is_described(Place::Docker, "DOCKER_HOST", "docker", "rootful");
}

#[test]
fn describes_rootless_docker() {
    is_described(Place::RootlessDocker, "DOCKER_HOST", "docker", "rootless");
}

#[test]
fn describes_podman() {
    is_described(Place::Podman, "CONTAINER_HOST", "podman", "rootful");
}

#[test]
fn describes_rootless_podman() {
    is_described(Place::PodmanAsUser, "CONTAINER_HOST", "podman", "rootless");
}

#[test]
fn an_ordinary_users_own_docker_need_not_be_named() {
    let place = Place::RootlessDocker;
    let found = engines(&Home::on(place), &[]);
    assert!(found[0].contains(&format!("rootless at {}", place.url())), "{found:?}");

    let home = acme(place, &[]);
    let steps = [LOG_IN, "print ready", "stay"].join("\n");
    let project = json!({"image": programs::IMAGE, "network": "none", "env": {"VENDOR_STEPS": steps}});
    home.file("config/projects/p.yaml", &project.to_string());
    let login = home.start(&["p", "acme", "--mode", "oauth"]);
    login.out.wait_for("ready");
    assert_eq!(home.containers().len(), 1, "it runs there");
    login.signal(Signal::TERM);
    login.end().expect(0);
    home.assert_nothing_left();
}
