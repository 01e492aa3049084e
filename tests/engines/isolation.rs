//! The reach of a login's container, on each engine.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{
    Home, Place, acme,
    acme::{LOG_IN, MOUNT},
    output,
};

/// Mounts that engines make in every container.
const USUAL: [&str; 8] = ["/proc", "/dev", "/sys", "/etc", "/run", "/tmp", "/var/tmp", "/"];

fn is_isolated(place: Place) {
    let steps = ["id", "caps", "mounts", LOG_IN, "print ready", "stay"];
    let home = acme(place, &steps);
    let running = home.start(&["p", "acme", "--mode", "oauth"]);
    let said = running.out.wait_for("ready");
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], place.ids_inside());
    assert_eq!(owners(&home), [place.ids()], "the files are those of whoever runs the program");
    assert!(said.contains("CapEff:\t0000000000000000"), "{said}");
    assert!(said.contains("NoNewPrivs:\t1"), "{said}");
    let usual = |path: &str| {
        USUAL.iter().any(|usual| path == *usual || (*usual != "/" && path.starts_with(&format!("{usual}/"))))
    };
    let mut own: Vec<&str> =
        lines.iter().copied().filter(|line| line.starts_with('/') && !usual(line)).collect();
    own.sort_unstable();
    assert_eq!(own, ["/home/dev", "/home/dev/.config", MOUNT]);

    let [container] = &home.containers()[..] else { panic!("{:?}", home.containers()) };
    let inspected: Value = serde_json::from_str(&place.ask(&["inspect", container])).expect("JSON");
    let host = &inspected[0]["HostConfig"];
    if !place.is_without_limits() {
        assert_eq!(host["PidsLimit"], 512);
        assert_eq!(host["Memory"], 2_u64 << 30);
        assert_eq!(host["MemorySwap"], 2_u64 << 30, "no swap");
    }
    assert_eq!(host["Privileged"], false);
    for (path, options) in host["Tmpfs"].as_object().expect("in memory") {
        let options: Vec<&str> = options.as_str().expect("options").split(',').collect();
        assert!(["nosuid", "nodev", "noexec"].iter().all(|o| options.contains(o)), "{path}: {options:?}");
    }
    assert!(inspected[0]["Mounts"].as_array().expect("mounts").iter().all(|mount| {
        mount["Type"] == "tmpfs"
            || mount["Source"].as_str().is_some_and(|s| s.starts_with(home.path().to_str().unwrap()))
    }));

    running.signal(Signal::TERM);
    running.end().expect(0);
    home.assert_nothing_left();
}

/// The owners of the login's files.
fn owners(home: &Home) -> Vec<String> {
    let found =
        output(Command::new("find").arg(home.data()).args(["-name", "auth.json", "-printf", "%U:%G\\n"]));
    found.lines().map(str::to_owned).collect()
}

#[test]
fn on_docker() {
    is_isolated(Place::Docker);
}

#[test]
fn on_docker_as_an_ordinary_user() {
    is_isolated(Place::DockerAsUser);
}

#[test]
fn on_rootless_docker_as_an_ordinary_user() {
    is_isolated(Place::RootlessDocker);
}

#[test]
fn on_podman() {
    is_isolated(Place::Podman);
}

#[test]
fn on_rootless_podman_as_an_ordinary_user() {
    is_isolated(Place::PodmanAsUser);
}
